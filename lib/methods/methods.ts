import { notebookSchema } from '../spec/notebook';
import { withCacheCheck } from './cache-check-cells';
import { CACHE_METHODS } from './cache-methods';
import { MASK_METHODS } from './mask-methods';
import { RECURRENT_METHODS } from './recurrent-methods';
import { SELECTION_METHODS } from './selection-methods';
import { SERVING_BASELINE_METHODS } from './serving-baseline-methods';
import { withServing } from './serving-cells';
import { SERVING_COST_METHODS } from './serving-cost-methods';
import { SERVING_METHODS } from './serving-methods';
import { SERVING_SHARE_METHODS } from './serving-share-methods';
import { SERVING_TREE_METHODS, SERVING_WEIGHT_METHODS } from './serving-weight-methods';
import type { Method } from './types';

/** Every method that has an entry, in order of its part. */
export const METHODS: readonly Method[] = [
  ...[
    ...MASK_METHODS,
    ...SELECTION_METHODS,
    ...RECURRENT_METHODS,
    ...CACHE_METHODS,
    ...SERVING_COST_METHODS,
    ...SERVING_WEIGHT_METHODS,
    ...SERVING_TREE_METHODS,
  ]
    .map(withCacheCheck)
    .map(withServing),
  ...SERVING_METHODS,
  ...SERVING_SHARE_METHODS,
  ...SERVING_BASELINE_METHODS,
];

/** Text of a method's own cell: what it does, and what the cells below leave out. */
export function methodText({ name, says, leavesOut }: Method): string {
  return `## ${name}\n\n${says}${leavesOut === undefined ? '' : `\n\n*Not in these cells:* ${leavesOut}.`}`;
}

/**
 * The cells of a method under ids that a notebook has free, its text first; they may be appended
 * as they are.
 */
export function methodCells(method: Method, isTaken: (id: string) => boolean) {
  const given = new Set<string>();
  const free = (stem: string) => {
    for (let n = 1; ; n++) {
      const id = n === 1 ? stem : `${stem}-${n}`;
      if (isTaken(id) || given.has(id)) continue;
      given.add(id);
      return id;
    }
  };
  const stem = method.id.replace(/[^a-z0-9-]/g, '-').slice(0, 20);
  const text = { id: free(stem), kind: 'text', params: { markdown: methodText(method) } };
  const ids = new Map(method.cells.map(({ id }) => [id, free(`${stem}-${id}`.slice(0, 28))]));
  const cells = method.cells.map(({ id, kind, inputs = [], params }) => ({
    id: ids.get(id),
    kind,
    inputs: inputs.map((each) => ids.get(each)),
    params,
  }));
  return [text, ...cells];
}

/** A notebook with one method alone. */
export function methodNotebook(method: Method) {
  return notebookSchema.parse({
    title: method.name,
    cells: methodCells(method, () => false),
  });
}
