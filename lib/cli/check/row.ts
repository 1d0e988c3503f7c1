import { parseArgs } from 'node:util';
import { ROW_CHECKS } from '../../serving/checks/registry';
import { type CheckCellResult, checkOf, runCheck } from '../../serving/checks/run-check';
import { isWithin } from '../../serving/checks/types';
import { checkParams } from '../../spec/kinds/check';
import { bandText, figureText } from '../../views/charts/check';

export const ROW_USAGE = 'usage: headroom check row (ID ... | --all | --list) [--seed N] [--json]';

function finish(id: string, seed: number): CheckCellResult {
  const parsed = checkParams.safeParse({ check: id, seed });
  if (!parsed.success)
    throw new Error(`invalid seed: ${seed} (${parsed.error.issues[0]?.message ?? 'unreadable'})`);
  const steps = runCheck(parsed.data);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

function print({ title, figures, notes, seconds }: CheckCellResult): void {
  console.log(`${title} (${seconds.toFixed(1)} s)`);
  for (const figure of figures) {
    const within = isWithin(figure);
    const verdict = within === undefined ? '' : within ? ', inside' : ', OUTSIDE';
    const band = bandText(figure);
    const expected = band === '' ? '' : ` (expected ${band}, ${figure.source}${verdict})`;
    console.log(`  ${figure.label}: ${figureText(figure.value, figure.unit)}${expected}`);
  }
  for (const note of notes) console.log(`  ${note}`);
}

/**
 * `headroom check row`: published methods held against their figures. A figure outside its band is
 * a finding and not an error.
 * @returns the exit code: 2 for bad input
 */
export async function checkRow(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      all: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      seed: { type: 'string', default: '1' },
    },
  });
  if (values.list) {
    for (const { id, asks } of ROW_CHECKS) console.log(`${id}\t${asks}`);
    return 0;
  }
  const ids = values.all ? ROW_CHECKS.map(({ id }) => id) : positionals;
  if (ids.length === 0) {
    console.error(ROW_USAGE);
    return 2;
  }
  for (const id of ids) checkOf(id);
  for (const id of ids) {
    const result = finish(id, Number(values.seed));
    if (values.json) console.log(JSON.stringify(result));
    else print(result);
  }
  return 0;
}
