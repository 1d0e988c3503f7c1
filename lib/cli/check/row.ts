import { parseArgs } from 'node:util';
import { CHECK_LIST, listedCheck } from '../../run/check-list';
import { type CheckCellResult, runCheck } from '../../serving/checks/run-check';
import { type CheckParams, checkParams } from '../../spec/kinds/check';
import { bandText, foundText, verdictText } from '../../views/charts/check';
import { createNodeModelApi } from '../run/node-session';

export const ROW_USAGE =
  'usage: headroom check row (ID ... | --all | --list) [--lab serving|cache] [--seed N] [--json]';

const LABS = ['serving', 'cache'] as const;

function paramsOf(id: string, seed: string): CheckParams {
  const value = seed.trim() === '' ? Number.NaN : Number(seed);
  const parsed = checkParams.safeParse({ check: id, seed: value });
  if (parsed.success) return parsed.data;
  throw new Error(`invalid --seed: ${seed} (expected 0..2147483647)`);
}

function simulated(params: CheckParams): CheckCellResult {
  const steps = runCheck(params);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

function print({ title, rule, figures, notes, seconds }: CheckCellResult): void {
  console.log(`${title} (${seconds.toFixed(1)} s)\n  ${rule.replaceAll('\n', '\n  ')}`);
  for (const figure of figures) {
    const verdict = verdictText(figure).replace('outside', 'OUTSIDE');
    const band = bandText(figure);
    const expected = band === '' ? '' : `; ${verdict}: expected ${band} [${figure.source}]`;
    console.log(`  ${figure.label}: ${foundText(figure)}${expected}`);
  }
  for (const note of notes) console.log(`  ${note}`);
}

/**
 * `headroom check row`: published methods held against their figures, serving methods in the
 * simulator and cache methods on the shipped model. A figure outside its band is a finding and not an
 * error.
 * @returns the exit code: 2 for bad input
 */
export async function checkRow(args: string[]): Promise<number> {
  if (args.includes('--help')) {
    console.log(ROW_USAGE);
    return 0;
  }
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      all: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      lab: { type: 'string' },
      json: { type: 'boolean', default: false },
      seed: { type: 'string', default: '1' },
    },
  });
  const { lab } = values;
  if (lab !== undefined && !LABS.some((each) => each === lab)) {
    throw new Error(`invalid --lab: ${lab} (expected ${LABS.join(', ')})`);
  }
  const listed = CHECK_LIST.filter((each) => lab === undefined || each.lab === lab);
  if (values.list) {
    for (const { id, lab: of, asks } of listed) console.log(`${id}\t${of}\t${asks}`);
    return 0;
  }
  const ids = values.all ? listed.map(({ id }) => id) : positionals;
  if (ids.length === 0) {
    console.error(ROW_USAGE);
    return 2;
  }
  const wanted = ids.map(listedCheck);
  const params = ids.map((id) => paramsOf(id, values.seed));
  let models: ReturnType<typeof createNodeModelApi> | undefined;
  for (const [at, { lab: of }] of wanted.entries()) {
    const own = params[at] as CheckParams;
    if (of === 'cache') models ??= createNodeModelApi();
    const result =
      of === 'cache' && models ? await models.check(at, own, () => undefined) : simulated(own);
    if (values.json) console.log(JSON.stringify(result));
    else print(result);
  }
  return 0;
}
