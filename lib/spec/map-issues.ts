import type { Cell, CellOf } from './notebook';

type MapParam = 'head' | 'batch' | 'storage' | 'policy';

interface MapIssue {
  /** From the cell. */
  readonly path: readonly ['inputs'] | readonly ['params', MapParam];
  readonly message: string;
  readonly value: unknown;
}

/** Heads and batch entries of a cell that a map can be of; the rows of a decode step's map are its heads. */
function mapSize(cell: Cell | undefined): { heads: number; batches: number } | undefined {
  switch (cell?.kind) {
    case 'attention':
    case 'compose':
      return { heads: cell.params.shape.queryHeads, batches: cell.params.shape.batch };
    case 'recurrent':
      return { heads: cell.params.shape.heads, batches: cell.params.shape.batch };
    case 'decode':
      return { heads: 1, batches: cell.params.shape.batch };
    default:
      return undefined;
  }
}

/** Params of a map that its inputs have no place for, and inputs that do not go together. */
export function mapIssues(
  { params, inputs }: CellOf<'map'>,
  byId: ReadonlyMap<string, Cell>,
): readonly MapIssue[] {
  const issues: MapIssue[] = [];
  const check = (param: MapParam, most: number, of: string) => {
    const value = params[param];
    if (value <= most) return;
    issues.push({
      path: ['params', param],
      message: `invalid ${param}: ${value} (expected 0..${most} of ${of})`,
      value,
    });
  };
  for (const id of inputs) {
    const input = byId.get(id);
    if (input?.kind === 'cache') {
      check('policy', input.params.entries.length - 1, `"${id}"`);
      if (inputs.length > 1)
        issues.push({
          path: ['inputs'],
          message: `invalid inputs: "${id}" is of kind cache (expected it alone: no difference is shown of caches)`,
          value: inputs,
        });
    }
    const size = mapSize(input);
    if (size === undefined) continue;
    check('head', size.heads - 1, `"${id}"`);
    check('batch', size.batches - 1, `"${id}"`);
    if (input?.kind === 'decode') check('storage', input.params.storages.length, `"${id}"`);
  }
  const read = inputs.flatMap((id) => byId.get(id) ?? []);
  // Inputs that are not there, or not right by themselves, have been complained about.
  if (read.length === inputs.length && read.every(({ kind }) => kind !== 'decode'))
    check('storage', 0, 'inputs that are no decode cells');
  return issues;
}
