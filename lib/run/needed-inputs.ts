import type { CellRecord } from './cell-record';
import type { JobCell } from './job-kinds';

/**
 * Cells that must be done before a cell can run: its inputs, and for a sweep or a plan search also the load of the
 * strategy that it repeats, which a serve result no longer holds in full.
 */
export function neededInputs(
  cell: JobCell,
  records: ReadonlyMap<string, CellRecord>,
): readonly CellRecord[] {
  const recordsOf = (ids: readonly string[]): readonly CellRecord[] =>
    ids.flatMap((id) => records.get(id) ?? []);
  const inputs = recordsOf(cell.inputs);
  return cell.kind === 'sweep' || cell.kind === 'plan'
    ? [...inputs, ...inputs.flatMap((input) => recordsOf(input.cell.inputs))]
    : inputs;
}
