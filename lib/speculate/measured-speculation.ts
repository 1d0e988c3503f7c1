import '../spec/zod-config';
import * as z from 'zod';
import type { ServeSpeculation } from '../spec/kinds/serve-transform';
import type { CellAcceptance, SpeculateResult } from './cell-result';

type Draft = Extract<ServeSpeculation, { readonly type: 'draft' }>;

/** What a serving simulation takes of a measured speculation. */
export type MeasuredSpeculation = Omit<Draft, 'acceptance'>;

type Counted = Pick<
  CellAcceptance,
  'draftTokens' | 'rounds' | 'offered' | 'accepted' | 'drafterCalls'
>;

/**
 * Acceptances by place as a serve cell takes them: rounds accepted up to a place over those up to the
 * place before, and at first over all rounds. A place that a round did not draft counts as refused, so
 * that a simulated step gives the tokens that a measured round gave; it is verified all the same, which
 * is on the slow side. Places behind the last that was accepted are 0.
 *
 * The cost of a drafted token is the drafter's calls for it, each taken for a decode step of the
 * target: 0 for lookup, and 1, an upper bound, for a policy on the same model.
 *
 * @param measuredBy who measured it, in words
 * @throws Error where no round drafted a token
 */
export function measuredSpeculation(counted: Counted, measuredBy: string): MeasuredSpeculation {
  const { accepted, offered, rounds, draftTokens, drafterCalls } = counted;
  const drafted = offered.reduce((sum, count) => sum + count, 0);
  if (rounds === 0 || drafted === 0) {
    throw new Error('no acceptance by place: no round drafted a token');
  }
  const acceptances = Array.from({ length: draftTokens }, (_, place) => {
    const before = place === 0 ? rounds : (accepted[place - 1] ?? 0);
    return before === 0 ? 0 : (accepted[place] ?? 0) / before;
  });
  return {
    type: 'draft',
    draftTokens,
    acceptances,
    draftCost: Math.min(4, drafterCalls / drafted),
    measuredBy: measuredBy.slice(0, 200),
  };
}

/** The same of a speculate cell's result. */
export function speculationOf(result: SpeculateResult, cellId: string): MeasuredSpeculation {
  const { profile, drafter, modelName } = result;
  return measuredSpeculation(profile, `${ofCell(cellId)}${drafter} on ${modelName}`);
}

/** Whether a cell's result, then or now, is where acceptances were taken from. */
export const isOfCell = (measuredBy: string, cellId: string) =>
  measuredBy.startsWith(ofCell(cellId));

const ofCell = (cellId: string) => `cell ${cellId}: `;

const count = z.int().min(0);

const acceptanceFile = z.object({
  format: z.literal('headroom/acceptance'),
  version: z.literal(1),
  model: z.string(),
  drafter: z.string(),
  draftTokens: z.int().min(1).max(64),
  drafterCalls: count,
  rounds: count,
  offered: z.array(count).max(64),
  accepted: z.array(count).max(64),
});

/**
 * Reads what a speculate cell exported.
 *
 * @throws Error saying what is wrong with the file, and where
 */
export function readAcceptance(text: string, fileName: string): MeasuredSpeculation {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error(`${fileName} is not JSON (expected the acceptance.json of a speculate cell)`);
  }
  const read = acceptanceFile.safeParse(json);
  if (!read.success) {
    const [issue] = read.error.issues;
    const where = issue === undefined ? '' : `${issue.path.join('.') || 'file'}: ${issue.message}`;
    throw new Error(`${fileName} is not the acceptance.json of a speculate cell: ${where}`);
  }
  const { data } = read;
  const { rounds, accepted } = data;
  const from = accepted.findIndex((own, place) => own > (accepted[place - 1] ?? rounds));
  if (from >= 0) {
    const most = accepted[from - 1] ?? rounds;
    throw new Error(
      `${fileName} is not the acceptance.json of a speculate cell: accepted.${from}: ${accepted[from]} (expected at most ${most})`,
    );
  }
  return measuredSpeculation(data, `${fileName}: ${data.drafter} on ${data.model}`);
}
