import { describe, expect, it, test } from 'vitest';
import { callReference, checkCallSteps, makeCall } from '../../../lib/attention/recurrent/call';
import { hybridBytes, hybridLayers } from '../../../lib/attention/recurrent/hybrid';
import {
  applyMemoryUnit,
  makeMemoryUnit,
  memoryAt,
  readMemoryUnit,
  unitGate,
} from '../../../lib/attention/recurrent/memory-unit';
import { presetParams, RECURRENT_PRESETS } from '../../../lib/attention/recurrent/presets';
import { kvBytes, stateBytes } from '../../../lib/attention/recurrent/state-bytes';
import { runSteps } from '../../../lib/attention/steps';
import { recurrentWeights } from '../../../lib/attention/weights/recurrent-weights';
import { runRecurrentOnWasm } from '../../../lib/gpu/run-recurrent-on-wasm';
import { createRandom } from '../../../lib/random/random';
import { recurrentParams } from '../../../lib/spec/kinds/recurrent';

const checked = (...of: Parameters<typeof checkCallSteps>) => runSteps(checkCallSteps(...of));

const shape = { batch: 2, heads: 2, tokens: 30, keySize: 4, valueSize: 3 };
const normals = (count: number, seed: number) => {
  const random = createRandom(seed);
  return Float64Array.from({ length: count }, () => random.normal());
};
const far = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (each, i) => Math.abs(each - b[i]!)));

describe('a gated memory unit', () => {
  it('is W2 (m o silu(W1 x)), by hand', () => {
    const unit = {
      size: 2,
      gate: Float64Array.from([1, 2, 0, -1]),
      out: Float64Array.from([1, 1, 0, 3]),
    };
    const silu = (x: number) => x / (1 + Math.exp(-x));
    const gated = [5 * silu(1 + 2 * 4), 7 * silu(-4)];
    const read = applyMemoryUnit(unit, [1, 4], [5, 7]);
    expect(far(read, [gated[0]! + gated[1]!, 3 * gated[1]!])).toBeLessThan(1e-12);
  });

  it('is linear in the memory and mixes no tokens: the memory layer did', () => {
    const params = recurrentParams.parse({ shape, rule: { type: 'ssd' } });
    const call = makeCall(params);
    const { output } = callReference(call);
    const unit = makeMemoryUnit(shape, 3);
    const hidden = normals(unit.size, 5);
    const read = applyMemoryUnit(unit, hidden, memoryAt(shape, output, 1, 20));
    // The same from the matrix over tokens that the layer amounts to, value by value.
    const weights = recurrentWeights(params);
    const sum = new Float64Array(unit.size);
    if (call.type !== 'state') throw new Error('ssd keeps a state');
    for (let head = 0; head < 2; head++) {
      const row = new Float64Array(30);
      weights(1, head).fillRow(20, 0, 21, row);
      for (let s = 0; s <= 20; s++) {
        for (let r = 0; r < 3; r++) {
          sum[head * 3 + r]! += row[s]! * call.inputs.value[((2 + head) * 30 + s) * 3 + r]!;
        }
      }
    }
    expect(far(read, applyMemoryUnit(unit, hidden, sum))).toBeLessThan(1e-6);
    expect(Math.max(...read.map(Math.abs))).toBeGreaterThan(1e-3);
  });

  it('reads nothing where its gates are closed', () => {
    const unit = makeMemoryUnit(shape, 3);
    expect(unitGate(unit, new Float64Array(6))).toEqual(new Float64Array(6));
    expect(applyMemoryUnit(unit, new Float64Array(6), normals(6, 1))).toEqual(new Float64Array(6));
  });

  it('tells an output that is wrong in one number', () => {
    const params = recurrentParams.parse({
      shape,
      rule: { type: 'ssd' },
      readout: 'memory-unit',
    });
    const call = makeCall(params);
    const reference = callReference(call);
    const output = Float32Array.from(reference.output);
    const state = Float32Array.from(reference.state);
    expect(checked(params, call, { output, state }).unit!.error!.withinTolerance).toBe(true);
    const wrong = output.map((each, i) => (i === 4 ? each + 0.1 : each));
    expect(checked(params, call, { output: wrong, state }).unit!.error!.withinTolerance).toBe(
      false,
    );
    const plain = recurrentParams.parse({ shape, rule: { type: 'ssd' } });
    expect(checked(plain, call, { output, state }).unit).toBeUndefined();
  });

  it('costs the same at any length, where cross-attention reads the cache', () => {
    const at = (tokens: number) => {
      const sizes = { ...shape, batch: 1, tokens };
      const output = normals(2 * tokens * 3, 1);
      return readMemoryUnit({ seed: 1 }, sizes, output, undefined, 4);
    };
    const [short, long] = [at(10), at(200)];
    expect(long.flopsPerToken).toBe(short.flopsPerToken);
    expect(long.crossAttentionReadBytes).toBe(20 * short.crossAttentionReadBytes);
    expect(long.error).toBeUndefined();
    expect([short.checkedTokens, long.checkedTokens]).toEqual([10, 64]);
  });
});

describe('a decoder over a decoder', () => {
  const stack = { layers: 6, softmaxEvery: 2, windowTokens: 8, crossLayers: 5 };

  it('ends its first half in full attention and alternates above', () => {
    expect(hybridLayers(stack).join(' ')).toBe(
      'window recurrent window recurrent window full cross unit cross unit cross',
    );
  });

  it('keeps one cache of full length and reads it once per cross-attention', () => {
    const rule = { type: 'ssd' } as const;
    const bytes = hybridBytes(stack, rule, shape, 1000);
    const kept = 3 * kvBytes(shape, 8) + 2 * stateBytes(rule, shape);
    const full = kvBytes(shape, 1000);
    expect(bytes.hybrid).toBe(kept + full);
    expect(bytes.read).toBe(kept + 4 * full);
    expect(bytes.readWithoutUnits).toBe(kept + 6 * full);
    expect(bytes.fullAttention).toBe(11 * full);
  });

  it('without a second half is as before', () => {
    const plain = { layers: 6, softmaxEvery: 2, windowTokens: 8 };
    expect(hybridLayers({ ...plain, crossLayers: 0 })).toEqual(hybridLayers(plain));
    expect(hybridLayers(plain)).not.toContain('full');
  });
});

test('the preset runs in WebAssembly, unit within tolerance', async () => {
  const preset = RECURRENT_PRESETS.find(({ id }) => id === 'sambay')!;
  const current = recurrentParams.parse({ shape, timedRuns: 1, engine: 'wasm' });
  const params = presetParams(preset, { ...current, shape: { ...shape, keySize: 64 } });
  const signal = new AbortController().signal;
  const result = await runRecurrentOnWasm(params, undefined, undefined, signal, () => undefined);
  expect(result.error?.withinTolerance).toBe(true);
  expect(result.unit).toMatchObject({ size: 6, error: { withinTolerance: true } });
});

test('is refused where its matrices would be too large', () => {
  const parsed = recurrentParams.safeParse({
    shape: { heads: 64, valueSize: 64 },
    readout: 'memory-unit',
  });
  expect(parsed.error?.issues[0]?.path).toEqual(['readout']);
});
