import type { CellKind } from '../spec/notebook';

/** A cell as a method writes it: ids are free within the method, params may leave defaults out. */
export interface MethodCell {
  readonly id: string;
  readonly kind: CellKind;
  readonly inputs?: readonly string[];
  readonly params: unknown;
}

export const METHOD_PARTS = [
  'masks, head classes, positions',
  'dynamic selection',
  'exact and quantised kernels',
  'linear and recurrent',
  'dropping and merging cached tokens',
  'caches in fewer bits and numbers',
  'retrieval, depth, reuse',
  'serving: schedulers',
  'serving: phases apart',
  'serving: reuse of KV',
  'serving: plans and devices',
  'serving: cost of a model and an iteration',
  'serving: what one accelerator does at once',
  'presets of one cell',
] as const;
export type MethodPart = (typeof METHOD_PARTS)[number];

/** A published method as a composition of cells. */
export interface Method {
  /** Short name of the paper, in kebab case. */
  readonly id: string;
  readonly name: string;
  readonly part: MethodPart;
  /** The mechanism in a sentence or two. */
  readonly says: string;
  /** Empty where nothing of it can be composed here yet. */
  readonly cells: readonly MethodCell[];
  /** What of the method the cells leave out; absent where nothing is. */
  readonly leavesOut?: string;
}
