import type { TransformerConfig } from '../transformer/types';
import type { Places } from './transformer-model';
import type { LayerSteps } from './transformer-steps';
import type { DeviceLayer } from './transformer-weights';

/** Queries, keys and values of the residual stream, before RoPE; `projectedPlaces` says where they are. */
export function addProjections(
  steps: LayerSteps,
  { hiddenSize, heads, kvHeads, headSize }: TransformerConfig,
  layer: DeviceLayer,
  at: Places,
  rows: number,
): void {
  steps.norm(at.residual, layer.attentionNorm, at.normed, rows, hiddenSize);
  steps.linear(layer.q, at.normed, at.queries, rows);
  steps.linear(layer.k, at.normed, at.keys, rows);
  steps.linear(layer.v, at.normed, at.values, rows);
  if (layer.qNorm === undefined || layer.kNorm === undefined) return;
  steps.norm(at.queries, layer.qNorm, at.normedQueries, rows * heads, headSize);
  steps.norm(at.keys, layer.kNorm, at.normedKeys, rows * kvHeads, headSize);
}

export function projectedPlaces(
  { qNorm, kNorm }: DeviceLayer,
  at: Places,
): { readonly queries: GPUBuffer; readonly keys: GPUBuffer } {
  return qNorm && kNorm
    ? { queries: at.normedQueries, keys: at.normedKeys }
    : { queries: at.queries, keys: at.keys };
}

/** What follows attention in a layer: its output projection and SwiGLU, both added to the residual stream. */
export function addMlp(
  steps: LayerSteps,
  { hiddenSize, intermediateSize }: TransformerConfig,
  layer: DeviceLayer,
  at: Places,
  rows: number,
): void {
  steps.linear(layer.o, at.attended, at.residual, rows, true);
  steps.norm(at.residual, layer.mlpNorm, at.normed, rows, hiddenSize);
  steps.linear(layer.gate, at.normed, at.gate, rows);
  steps.linear(layer.up, at.normed, at.up, rows);
  steps.gate(at.gate, at.up, rows * intermediateSize);
  steps.linear(layer.down, at.gate, at.residual, rows, true);
}
