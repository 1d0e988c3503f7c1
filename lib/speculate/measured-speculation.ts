import '../spec/zod-config';
import * as z from 'zod';
import type { ServeSpeculation } from '../spec/kinds/serve-transform';
import type { CellAcceptance, SpeculateResult } from './cell-result';

type Draft = Extract<ServeSpeculation, { readonly type: 'draft' }>;

/** What a serving simulation takes of a measured speculation. */
export type MeasuredSpeculation = Omit<Draft, 'acceptance'>;

type Counted = Pick<
  CellAcceptance,
  'draftTokens' | 'offered' | 'accepted' | 'acceptance' | 'drafterCalls'
>;

/**
 * Acceptances by place as a serve cell takes them. Places that no round reached are left out: a serve
 * cell repeats the last one. The cost of a drafted token is the drafter's calls for it, each taken for
 * a decode step of the target: 0 for lookup, and 1, an upper bound, for a policy on the same model.
 *
 * @param measuredBy who measured it, in words
 * @throws Error where no round came to a first place
 */
export function measuredSpeculation(counted: Counted, measuredBy: string): MeasuredSpeculation {
  const { acceptance, offered, draftTokens, drafterCalls } = counted;
  const gap = acceptance.findIndex((share) => !Number.isFinite(share));
  const acceptances = gap < 0 ? [...acceptance] : acceptance.slice(0, gap);
  if (acceptances.length === 0) {
    throw new Error('no acceptance by place: no round drafted a token');
  }
  const drafted = offered.reduce((sum, count) => sum + count, 0);
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
  return measuredSpeculation(profile, `cell ${cellId}: ${drafter} on ${modelName}`);
}

const share = z.number().min(0).max(1).nullable();
const count = z.int().min(0);

const acceptanceFile = z.object({
  format: z.literal('headroom/acceptance'),
  version: z.literal(1),
  model: z.string(),
  drafter: z.string(),
  draftTokens: z.int().min(1).max(64),
  drafterCalls: count,
  offered: z.array(count).max(64),
  accepted: z.array(count).max(64),
  acceptance: z.array(share).max(64),
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
  return measuredSpeculation(
    { ...data, acceptance: data.acceptance.map((one) => one ?? Number.NaN) },
    `${fileName}: ${data.drafter} on ${data.model}`,
  );
}
