import { describe, expect, test } from 'vitest';
import {
  RECURRENT_CASES,
  STATE_RULES,
  withGatesAtEnds,
} from '../../../lib/attention/recurrent/cases';
import { compareRecurrent } from '../../../lib/attention/recurrent/compare';
import { makeRecurrentInputs } from '../../../lib/attention/recurrent/inputs';
import { recurrentReference } from '../../../lib/attention/recurrent/reference';
import type { RecurrentInputs, StateRule } from '../../../lib/attention/recurrent/types';
import { instantiateKernel } from '../../../lib/wasm/module';
import { createWasmRecurrent } from '../../../lib/wasm/recurrent';
import { SCRATCH_FLOATS } from '../../../lib/wasm/recurrent-layout';
import { createWalker } from '../../../lib/wasm/recurrent-walker';

function runAll(inputs: RecurrentInputs, rule: StateRule, initialState?: Float32Array) {
  const call = createWasmRecurrent(inputs, rule, initialState);
  call.runAll();
  return { call, result: call.read() };
}

test('the scratch is as large as the kernel says', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const { RECURRENT_SCRATCH_BYTES } = instantiateKernel(memory, () => undefined);
  expect(RECURRENT_SCRATCH_BYTES.value).toBe(4 * SCRATCH_FLOATS);
});

describe.each(STATE_RULES)('%s equals the f64 reference', (_, rule) => {
  test.each(RECURRENT_CASES)('$name', ({ shape }) => {
    const inputs = makeRecurrentInputs(shape, rule, 7);
    const { result } = runAll(inputs, rule);
    expect(compareRecurrent(inputs, rule, result)).toMatchObject({ withinTolerance: true });
  });

  test('in slices, twice: the state is carried and starts anew', () => {
    const shape = { batch: 2, heads: 2, tokens: 41, keySize: 20, valueSize: 13 };
    const inputs = makeRecurrentInputs(shape, rule, 3);
    const { call, result } = runAll(inputs, rule);
    for (let row = 0; row < call.rows; row++) {
      call.walker.reset(row);
      for (let four = 0; four < call.fours; four += 3) {
        call.walker.run(row, four, Math.min(four + 3, call.fours));
      }
    }
    expect(call.read()).toEqual(result);
  });

  test('by three threads that take rows in turn, from a carried state', () => {
    const shape = { batch: 2, heads: 3, tokens: 300, keySize: 12, valueSize: 10 };
    const inputs = makeRecurrentInputs(shape, rule, 9);
    const initial = Float32Array.from(recurrentReference(inputs, rule).state);
    const alone = runAll(inputs, rule, initial).result;
    const shared = createWasmRecurrent(inputs, rule, initial, 3);
    expect(shared.call.memory.buffer).toBeInstanceOf(SharedArrayBuffer);
    const lanes = [shared.walker, createWalker(shared.call, 1), createWalker(shared.call, 2)];
    for (let run = 0; run < 2; run++) {
      Atomics.store(shared.call.next, 0, 0);
      // No time at all: a look at the clock after every stretch, so that rows are interleaved.
      const isOver = lanes.map(() => false);
      while (isOver.includes(false)) {
        lanes.forEach((lane, i) => {
          isOver[i] ||= !lane.runSome(0);
        });
      }
    }
    expect(shared.read()).toEqual(alone);
  });

  test('from a carried state', () => {
    const shape = { batch: 1, heads: 2, tokens: 33, keySize: 12, valueSize: 10 };
    const before = makeRecurrentInputs(shape, rule, 1);
    const after = makeRecurrentInputs({ ...shape, tokens: 3 }, rule, 2);
    const { state } = runAll(before, rule).result;
    const { result } = runAll(after, rule, state);
    const expected = recurrentReference(before, rule).state;
    expect(compareRecurrent(after, rule, result, expected)).toMatchObject({
      withinTolerance: true,
    });
  });
});

test('a decay of 0 forgets everything, without a NaN', () => {
  const shape = { batch: 1, heads: 1, tokens: 22, keySize: 8, valueSize: 8 };
  for (const rule of [
    { type: 'gated', normalise: false },
    { type: 'gated-delta' },
  ] as const satisfies readonly StateRule[]) {
    const inputs = makeRecurrentInputs(shape, rule, 5);
    const decay = inputs.decay!.map((each, i) => (i % 5 === 2 ? 0 : each));
    const forgetful = { ...inputs, decay };
    const { result } = runAll(forgetful, rule);
    expect(compareRecurrent(forgetful, rule, result)).toMatchObject({ withinTolerance: true });
  }
});

describe.each(STATE_RULES)('%s at the ends', (_, rule) => {
  test('with gates of 0 and 1 among others', () => {
    const shape = { batch: 1, heads: 2, tokens: 75, keySize: 13, valueSize: 11 };
    const inputs = withGatesAtEnds(makeRecurrentInputs(shape, rule, 11));
    const { result } = runAll(inputs, rule);
    expect(compareRecurrent(inputs, rule, result)).toMatchObject({ withinTolerance: true });
  });

  test('after 65,536 tokens', { timeout: 60_000 }, () => {
    const shape = { batch: 1, heads: 1, tokens: 65_536, keySize: 12, valueSize: 8 };
    const inputs = makeRecurrentInputs(shape, rule, 2);
    const error = compareRecurrent(inputs, rule, runAll(inputs, rule).result);
    expect(error).toMatchObject({ withinTolerance: true });
    expect(error.stretches).toHaveLength(8);
    expect(Math.max(...error.stretches!)).toBe(error.maxAbs);
    // What decays or is overwritten takes its rounding with it; plain sums alone keep theirs.
    const forgets = !['additive', 'prefix-linear'].includes(rule.type);
    if (forgets) expect(error.stretches!.at(-1)).toBeLessThan(4 * error.stretches![1]!);
  });
});

test('refuses keys that do not fit, and tensors of another length', () => {
  const shape = { batch: 1, heads: 1, tokens: 2, keySize: 129, valueSize: 4 };
  const rule = { type: 'ssd' } as const;
  const inputs = makeRecurrentInputs(shape, rule, 1);
  expect(() => createWasmRecurrent(inputs, rule)).toThrow('invalid keySize: 129 (expected 1..128)');
  expect(() => createWasmRecurrent({ ...inputs, value: new Float32Array(3) }, rule)).toThrow(
    'invalid value: 3 elements',
  );
});
