import type { Cell, Notebook } from '../../spec/notebook';

/** The notebook as the options want it run: another seed in every cell that has one, the CPU engine. */
export function applyOverrides(
  notebook: Notebook,
  { seed, isCpuOnly }: { readonly seed: number | undefined; readonly isCpuOnly: boolean },
): Notebook {
  const override = (cell: Cell): Cell => {
    switch (cell.kind) {
      case 'attention':
        return {
          ...cell,
          params: {
            ...cell.params,
            seed: seed ?? cell.params.seed,
            engine: isCpuOnly ? 'cpu' : cell.params.engine,
          },
        };
      case 'recurrent':
        return {
          ...cell,
          params: {
            ...cell.params,
            seed: seed ?? cell.params.seed,
            engine: isCpuOnly ? 'cpu' : cell.params.engine,
          },
        };
      case 'workload':
        return { ...cell, params: { ...cell.params, seed: seed ?? cell.params.seed } };
      default:
        return cell;
    }
  };
  return { ...notebook, cells: notebook.cells.map(override) };
}
