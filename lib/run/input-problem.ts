import { INPUT_RULES } from '../spec/notebook';
import type { CellRecord } from './cell-record';
import type { JobCell } from './job-kinds';

/**
 * Why a cell cannot run with the inputs it names, or undefined. A document that was validated has
 * no such problem; one that is being edited may have.
 */
export function inputProblem(
  cell: JobCell,
  records: ReadonlyMap<string, CellRecord>,
): string | undefined {
  const { kinds, count } = INPUT_RULES[cell.kind];
  for (const id of cell.inputs) {
    const input = records.get(id);
    if (input === undefined) return `input "${id}" is not a cell that gives results`;
    if (!kinds.includes(input.cell.kind))
      return `input "${id}" is of kind ${input.cell.kind} (expected ${kinds.join(' or ') || 'no input'})`;
  }
  const [least, most] = count;
  if (cell.inputs.length >= least && cell.inputs.length <= most) return undefined;
  const expected = least === most ? `${least}` : `${least}..${most}`;
  return `${cell.inputs.length} inputs (expected ${expected} of kind ${kinds.join(' or ')})`;
}
