import { referenceTransformer } from '../transformer/reference';
import type { Transformer, TransformerConfig, TransformerWeights } from '../transformer/types';
import { createWasmTransformer } from '../wasm/transformer';

/** Makes a model that computes in a certain way. */
export type MakeTransformer = (
  config: TransformerConfig,
  weights: TransformerWeights,
) => Transformer;

/** Engines of the model that run in any thread, the fastest last. */
export const ENGINES: ReadonlyMap<string, MakeTransformer> = new Map([
  ['reference', referenceTransformer],
  ['wasm', createWasmTransformer],
]);

/** The fastest engine. */
export const DEFAULT_ENGINE = [...ENGINES.keys()].at(-1) as string;

/** @throws RangeError for an unknown name, with the known ones */
export function engineOf(name: string): MakeTransformer {
  const make = ENGINES.get(name);
  if (make === undefined) {
    throw new RangeError(`unknown engine: ${name} (expected ${[...ENGINES.keys()].join(', ')})`);
  }
  return make;
}
