import { isKernelCell } from '../../run/job-kinds';
import type { Cell, Notebook } from '../../spec/notebook';

/** The notebook as the options want it run: another seed in every cell that has one, the CPU engine. */
export function applyOverrides(
  notebook: Notebook,
  { seed, isCpuOnly }: { readonly seed: number | undefined; readonly isCpuOnly: boolean },
): Notebook {
  const override = (cell: Cell): Cell => {
    if (isKernelCell(cell)) {
      const { params } = cell;
      const engine = isCpuOnly ? 'cpu' : params.engine;
      return { ...cell, params: { ...params, seed: seed ?? params.seed, engine } } as Cell;
    }
    if (cell.kind === 'workload') {
      return { ...cell, params: { ...cell.params, seed: seed ?? cell.params.seed } };
    }
    return cell;
  };
  return { ...notebook, cells: notebook.cells.map(override) };
}
