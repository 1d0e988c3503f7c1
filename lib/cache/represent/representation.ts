import type { ProjectedForm, QuantisedForm } from '../../spec/cache-forms';

/** The forms that slots can be held in besides plain f16 and pruned channels, as data. */
export type Representation = QuantisedForm | ProjectedForm;

/** What a representation must be given beside the rows. */
export interface RepresentationNeeds {
  /** Last queries of the prompt. */
  readonly queries: boolean;
  /** The model's key and value projections. */
  readonly weights: boolean;
  /** All heads of a layer, and for some all layers, must hold the same number of slots. */
  readonly alignedHeads: boolean;
}

const SPANNING: ReadonlySet<Representation['type']> = new Set([
  'kivi',
  'cachegen',
  'low-rank',
  'cross-layer',
  'projection',
  'spherical',
]);

export function needsOf(form: Representation): RepresentationNeeds {
  return {
    queries: form.type === 'mikv' && form.balanced,
    weights: form.type === 'projection' && form.fit === 'weights',
    alignedHeads: SPANNING.has(form.type),
  };
}
