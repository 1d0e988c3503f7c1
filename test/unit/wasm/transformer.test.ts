import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createFullCache } from '../../../lib/transformer/full-cache';
import { prefill } from '../../../lib/transformer/generate';
import type { AttentionCache } from '../../../lib/transformer/types';
import { createWasmTransformer } from '../../../lib/wasm/transformer';
import { transformerBinary } from '../../../lib/wasm/transformer-kernel';
import { TRANSFORMER_CASES } from '../../transformer/cases';
import { compareEngines } from '../../transformer/compare-engines';
import { configOf, randomTokens, randomWeights } from '../../transformer/random-model';

const ROOT = new URL('../../..', import.meta.url).pathname;

describe('transformer', () => {
  it.each(TRANSFORMER_CASES)('computes what the reference does: $name', async (one) => {
    const difference = await compareEngines(
      one,
      ({ config, weights }) => createWasmTransformer(config, weights).forward,
    );
    expect(difference.logits).toBeLessThan(1e-4);
    expect(difference.hidden).toBeLessThan(1e-4);
    expect(difference.weights).toBeLessThan(1e-5);
    expect(difference.queries).toBeLessThan(1e-4);
  });
});

const config = configOf({ layers: 2, vocabularySize: 60 });
const weights = randomWeights(config, 5);
const tokens = randomTokens(config, 30, 6);

describe('one instance', () => {
  it('gives the same bits again after longer and shorter calls, and in chunks', () => {
    const model = createWasmTransformer(config, weights);
    const first = prefill(model, createFullCache(config), tokens.slice(0, 9), 0);
    // Long enough that the memory grows.
    prefill(model, createFullCache(config), randomTokens(config, 700, 7), 0);
    expect(prefill(model, createFullCache(config), tokens.slice(0, 9), 0)).toEqual(first);
    const whole = prefill(model, createFullCache(config), tokens, 0);
    const chunked = prefill(model, createFullCache(config), tokens, 0, { chunkTokens: 7 });
    for (let i = 0; i < whole.length; i++) expect(chunked[i]).toBeCloseTo(whole[i]!, 4);
  });

  it('may be called from within its own call, by a hook and by a cache', () => {
    const model = createWasmTransformer(config, weights);
    const expected = prefill(model, createFullCache(config), tokens, 0);
    const callAgain = () => {
      prefill(model, createFullCache(config), tokens.slice(3, 20), 0);
    };
    const full = createFullCache(config);
    const cache: AttentionCache = {
      ...full,
      append(layer, rows) {
        callAgain();
        full.append(layer, rows);
      },
      parts(layer, kvHead) {
        callAgain();
        return full.parts(layer, kvHead);
      },
      queryIndex(_layer, _kvHead, position) {
        if (position % 10 === 0) callAgain();
        return position;
      },
      observe: callAgain,
    };
    const onLayerEnd = () => {
      callAgain();
      return undefined;
    };
    const hooks = { onProjected: callAgain, onLayerEnd };
    expect(prefill(model, cache, tokens, 0, { hooks })).toEqual(expected);
  });

  it('leaves what it returned alone', () => {
    const model = createWasmTransformer(config, weights);
    const cache = createFullCache(config);
    const positions = [0, 1, 2];
    const first = model.forward({ tokens: [1, 2, 3], positions, cache, logits: 'all' });
    const copy = { logits: first.logits.slice(), hidden: first.hidden.slice() };
    prefill(model, createFullCache(config), tokens, 0);
    expect(first.logits).toEqual(copy.logits);
    expect(first.hidden).toEqual(copy.hidden);
  });

  it('refuses what it cannot compute', () => {
    const model = createWasmTransformer(config, weights);
    const cache = createFullCache(config);
    const step = { tokens: [1], positions: [0], cache };
    expect(() => model.forward({ ...step, tokens: [60] })).toThrow('invalid token: 60 at 0');
    expect(() => model.forward({ ...step, toLayer: 3 })).toThrow(
      'invalid toLayer: 3 (expected 0..2)',
    );
    expect(() => model.forward({ ...step, fromLayer: -1 })).toThrow('invalid fromLayer: -1');
    const part = { count: 2, keys: new Float32Array(16), values: new Float32Array(32) };
    const short = { ...cache, parts: () => [{ ...part, positions: new Int32Array(2) }] };
    expect(() => model.forward({ ...step, cache: short })).toThrow(
      'invalid keys of a part: 16 values (expected 32)',
    );
    const wrong = { ...weights, finalNorm: new Float32Array(5) };
    expect(() => createWasmTransformer(config, wrong)).toThrow(
      'invalid finalNorm: 5 values (expected 128)',
    );
  });
});

describe('binary of the transformer', () => {
  const hasCompiler = existsSync(`${ROOT}node_modules/assemblyscript`);
  if (!hasCompiler) console.warn('SKIPPED: assemblyscript is not installed, binary not recompiled');
  it.skipIf(!hasCompiler)('is what the sources compile to', async () => {
    const { compileKernels } = await import('../../../lib/tools/build-wasm.mjs');
    const compiled = Buffer.from(await compileKernels('transformer'));
    expect(compiled.equals(Buffer.from(transformerBinary()))).toBe(true);
  });
});
