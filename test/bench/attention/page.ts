import { countVisiblePairs } from '../../../lib/attention/block-list';
import { compareOutputs } from '../../../lib/attention/compare';
import { makeInputs } from '../../../lib/attention/inputs';
import type { AttentionInputs } from '../../../lib/attention/types';
import { selectKeys } from '../../../lib/gpu/select-keys';
import { type AttentionParams, attentionParams } from '../../../lib/spec/kinds/attention';
import type { Ready } from './drive';
import type { Engine, EngineName, Prepared } from './engine';
import { jaxEngine } from './engine-jax';
import { ortEngine } from './engine-ort';
import { ownEngine } from './engine-own';
import { tfjsEngine } from './engine-tfjs';
import { wasmEngine } from './engine-wasm';

const ENGINES: Record<EngineName, () => Promise<Engine>> = {
  headroom: ownEngine,
  'headroom-wasm': wasmEngine,
  'ort-webgpu-gqa': () => ortEngine('webgpu', 'GroupQueryAttention'),
  'ort-webgpu-mha': () => ortEngine('webgpu', 'MultiHeadAttention'),
  'ort-wasm-gqa': () => ortEngine('wasm', 'GroupQueryAttention'),
  'ort-wasm-mha': () => ortEngine('wasm', 'MultiHeadAttention'),
  'jax-js': jaxEngine,
  tfjs: tfjsEngine,
};

let engine: Promise<Engine> | undefined;
let prepared: Prepared | undefined;
let inputs: AttentionInputs | undefined;

/** Causal unless the call says otherwise; decode is one query over `keys`. */
async function prepare(
  name: EngineName,
  each: Pick<AttentionParams, 'shape'> & Partial<Pick<AttentionParams, 'variant' | 'select'>>,
): Promise<Ready> {
  engine ??= ENGINES[name]();
  const params = attentionParams.parse({ ...each, seed: 3 });
  const { shape } = params;
  const { signal } = new AbortController();
  const selected = await selectKeys(params, makeInputs(params), signal, () => undefined);
  inputs = selected.inputs;
  const ours = await engine;
  const start = performance.now();
  prepared = await ours.prepare(inputs);
  const prepareMilliseconds = performance.now() - start;
  const { pairs } = countVisiblePairs(inputs.program, shape);
  const density = pairs / (shape.batch * shape.queryHeads * shape.queries * shape.keys);
  return {
    detail: prepared.detail,
    density,
    blockDensity: prepared.blockDensity ?? density,
    prepareMilliseconds,
    selectionMilliseconds: (selected.selection?.seconds ?? 0) * 1000,
  };
}

/** Wall milliseconds of `runs` runs, one after the other. */
async function sample(runs: number): Promise<number[]> {
  const milliseconds: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await prepared!.run();
    milliseconds.push(performance.now() - start);
  }
  return milliseconds;
}

/** Largest error against the f64 reference over a spread of rows. */
async function check(): Promise<{ maxAbs: number; withinTolerance: boolean }> {
  const output = await prepared!.read();
  const heads = inputs!.shape.queryHeads * inputs!.shape.queries;
  const error = compareOutputs(
    inputs!,
    { output, lse: new Float32Array(heads) },
    { maxFlops: 2e8 },
  );
  prepared!.destroy();
  // Peers return no LSE, so only the output is judged.
  return { maxAbs: error.maxAbs, withinTolerance: error.maxAbs <= error.tolerance };
}

Object.assign(globalThis, { kernelTests: { prepare, sample, check } });
