import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { compareOutputs } from '../../../lib/attention/compare';
import { makeInputs } from '../../../lib/attention/inputs';
import { FORMULA_PRESETS, presetVariant } from '../../../lib/attention/presets';
import { makeProgram } from '../../../lib/attention/program';
import type { WasmBindings } from '../../../lib/formula/print-wasm';
import { printWasm, WASM_MATH } from '../../../lib/formula/print-wasm';
import { toTokens } from '../../../lib/formula/tokens';
import { countNodes } from '../../../lib/formula/tree';
import { prepareWasmCall } from '../../../lib/gpu/formula-wasm';
import { runOnWasm } from '../../../lib/gpu/run-on-wasm';
import { type AttentionParams, attentionParams } from '../../../lib/spec/kinds/attention';
import { BLOCK_KEYS, BLOCK_QUERIES } from '../../../lib/wasm/attention';
import { createLane } from '../../../lib/wasm/lane';
import { maskTree, scoreTree } from '../formula/arbitrary';

const params = (variant: unknown, shape: object): AttentionParams =>
  attentionParams.parse({
    shape: { queryHeads: 4, kvHeads: 2, headSize: 16, ...shape },
    variant,
    seed: 5,
  });

function errorOf(each: AttentionParams) {
  const inputs = makeInputs(each);
  const { lane } = prepareWasmCall(inputs);
  lane.runSome(Number.POSITIVE_INFINITY);
  const { attention } = lane;
  return compareOutputs(inputs, attention, { maxFlops: Number.POSITIVE_INFINITY });
}

describe('every preset equals the f64 reference', () => {
  test.each(FORMULA_PRESETS.map((preset) => [preset.id, preset] as const))('%s', (_, preset) => {
    const variant = presetVariant(preset);
    for (const shape of [
      { queries: 130, keys: 130, batch: 2 },
      { queries: 3, keys: 523 },
    ]) {
      expect(errorOf(params(variant, shape))).toMatchObject({ withinTolerance: true });
    }
  });
});

const parts = {
  numbers: [
    { name: 'window', value: 7, min: 0, max: 40 },
    { name: 'cap', value: 2.5, min: 0.5, max: 9, step: 0.01 },
  ],
  tables: [
    { name: 'document', source: 'segments', meanTokens: 6 },
    { name: 'bias', source: 'normal', entries: 12 },
  ],
};

describe('threads over one memory', () => {
  it('give the same bits as one thread, however the blocks fall', () => {
    const each = params(presetVariant(FORMULA_PRESETS[10]!), { queries: 130, keys: 140, batch: 2 });
    const inputs = makeInputs(each);
    const one = prepareWasmCall(inputs);
    one.lane.runSome(Number.POSITIVE_INFINITY);
    const { call, lane } = prepareWasmCall(inputs, 3);
    const lanes = [lane, createLane(call, 1), createLane(call, 2)];
    // A budget of nothing takes one block at a time, in turn.
    for (let i = 0; lanes[i % 3]!.runSome(0); i++);
    expect([...lane.attention.output]).toEqual([...one.lane.attention.output]);
    expect([...lane.attention.lse]).toEqual([...one.lane.attention.lse]);
  });
});

describe('the printed module', () => {
  it('says of every element of a tile what the tree says', () => {
    fc.assert(
      fc.property(maskTree, scoreTree, (mask, score) => {
        fc.pre(countNodes(mask) <= 128 && countNodes(score) <= 128);
        const each = params(
          { type: 'formula', mask: toTokens(mask), score: toTokens(score), ...parts },
          { queries: 21, keys: 34 },
        );
        const program = makeProgram(each);
        const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536 });
        const floats = new Float32Array(memory.buffer);
        const addresses = new Map<string, number>();
        let end = 4096;
        for (const { name, values } of program.tables) {
          addresses.set(name, end);
          floats.set(values, end / 4);
          end += values.byteLength;
        }
        const bindings: WasmBindings = {
          queries: 21,
          keys: 34,
          heads: 4,
          number: (name) => (name === 'window' ? 7 : 2.5),
          table: (name) => ({
            ...program.tables.find((table) => table.name === name)!,
            address: addresses.get(name)!,
          }),
        };
        const tile = { rows: 4, columns: 8, isShared: false };
        const bytes = printWasm(program.mask, program.score, bindings, tile);
        const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
          env: { memory },
          math: WASM_MATH,
        });
        const call = (name: string, ...args: number[]) =>
          (exports[name] as (...args: number[]) => void)(...args);
        const before = Float32Array.from({ length: 32 }, (_, i) => ((i * 5) % 7) - 3);
        floats.set(before);
        call('modify', 0, 0, 3, 8, 16);
        call('visible', 1024, 0, 3, 8, 16, 4);
        const words = new Uint32Array(memory.buffer, 1024, 4);
        before.forEach((value, i) => {
          const [row, column] = [Math.floor(i / 8), i % 8];
          const [q, k] = [8 + row, 16 + column];
          const expected = program.modify!(0, 3, q, k, value);
          expect(Math.abs((floats[i] as number) - expected)).toBeLessThanOrEqual(
            1e-5 * Math.max(1, Math.abs(expected)),
          );
          expect(((words[row] as number) >>> column) & 1).toBe(
            Number(program.isVisible(0, 3, q, k)),
          );
        });
      }),
      { numRuns: 200 },
    );
  });
});

describe('the engine', () => {
  const run = (
    each: AttentionParams,
    signal = new AbortController().signal,
    report: () => void = () => undefined,
  ) =>
    runOnWasm(
      {
        params: each,
        inputs: makeInputs(each),
        selection: undefined,
        signal,
        report,
        isTimed: true,
      },
      undefined,
      'a reason',
    );

  it('fills its result, and its log-sum-exp serves the map', async () => {
    const each = params({ type: 'causal' }, { queries: 200, keys: 200 });
    const { result, resident } = await run(each);
    expect(result).toMatchObject({
      engine: 'wasm',
      engineNote: 'a reason',
      error: { withinTolerance: true },
      timing: { clock: 'performance.now', warmupRuns: 1 },
      density: { isEstimate: false },
      blockList: { blockQueries: BLOCK_QUERIES, blockKeys: BLOCK_KEYS },
    });
    expect(result.timing.samplesSeconds).toHaveLength(5);
    expect(result.density.elements).toBeCloseTo(201 / 400, 10);
    expect(resident.lse.every(Number.isFinite)).toBe(true);
  });

  it('stops between slices when cancelled', async () => {
    const each = params({ type: 'dense' }, { queries: 2048, keys: 2048 });
    const controller = new AbortController();
    let reports = 0;
    const running = run({ ...each, timedRuns: 50 }, controller.signal, () => {
      reports++;
      if (reports === 2) controller.abort();
    });
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
    expect(reports).toBeLessThanOrEqual(3);
  });
});
