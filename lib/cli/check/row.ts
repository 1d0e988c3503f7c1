import { CHECK_LIST, listedCheck } from '../../run/check-list';
import { type CheckCellResult, runCheck } from '../../serving/checks/run-check';
import { type CheckParams, checkParams } from '../../spec/kinds/check';
import { bandText, foundText, verdictText } from '../../views/charts/check';
import { atMost, command, readArguments } from '../command-line';
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

type Wanted =
  | {
      readonly list: readonly {
        readonly id: string;
        readonly lab: string;
        readonly asks: string;
      }[];
    }
  | { readonly params: readonly CheckParams[]; readonly isJson: boolean };

function readOptions(args: readonly string[]): Wanted {
  const { values, positionals } = readArguments(args, {
    all: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    lab: { type: 'string' },
    json: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
  });
  const { lab } = values;
  if (lab !== undefined && !LABS.some((each) => each === lab)) {
    throw new Error(`invalid --lab: ${lab} (expected ${LABS.join(', ')})`);
  }
  if (values.all || values.list) atMost(positionals, 0);
  const listed = CHECK_LIST.filter((each) => lab === undefined || each.lab === lab);
  if (values.list) return { list: listed };
  const ids = values.all ? listed.map(({ id }) => id) : positionals;
  if (ids.length === 0) throw new Error('missing ID');
  return {
    params: ids.map((id) => paramsOf(listedCheck(id).id, values.seed)),
    isJson: values.json,
  };
}

/**
 * `headroom check row`: published methods held against their figures, serving methods in the
 * simulator and cache methods on the shipped model. A figure outside its band is a finding and not an
 * error.
 */
export const checkRow = command(ROW_USAGE, readOptions, async (wanted) => {
  if ('list' in wanted) {
    for (const { id, lab, asks } of wanted.list) console.log(`${id}\t${lab}\t${asks}`);
    return 0;
  }
  let models: ReturnType<typeof createNodeModelApi> | undefined;
  for (const [at, params] of wanted.params.entries()) {
    const isCache = listedCheck(params.check).lab === 'cache';
    if (isCache) models ??= createNodeModelApi();
    const result =
      isCache && models ? await models.check(at, params, () => undefined) : simulated(params);
    if (wanted.isJson) console.log(JSON.stringify(result));
    else print(result);
  }
  return 0;
});
