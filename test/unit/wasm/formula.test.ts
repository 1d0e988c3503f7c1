import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { compareOutputs } from '../../../lib/attention/compare';
import { makeInputs } from '../../../lib/attention/inputs';
import { FORMULA_PRESETS, presetVariant } from '../../../lib/attention/presets';
import { makeProgram } from '../../../lib/attention/program';
import { toTokens } from '../../../lib/formula/tokens';
import { countNodes } from '../../../lib/formula/tree';
import { countModuleCompiles } from '../../../lib/formula/wasm-modules';
import { prepareWasmCall } from '../../../lib/gpu/formula-wasm';
import { runOnWasm } from '../../../lib/gpu/run-on-wasm';
import { type AttentionParams, attentionParams } from '../../../lib/spec/kinds/attention';
import { BLOCK_KEYS, BLOCK_QUERIES } from '../../../lib/wasm/attention';
import { createLane } from '../../../lib/wasm/lane';
import { maskTree, scoreTree } from '../formula/arbitrary';
import { runTile } from '../formula/wasm-tile';

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
        const before = Float32Array.from({ length: 32 }, (_, i) => ((i * 5) % 7) - 3);
        const place = { batch: 0, head: 3, firstRow: 8, firstKey: 16 };
        const after = runTile(program, each.shape, place, before);
        before.forEach((value, i) => {
          const [query, k] = [place.firstRow + Math.floor(i / 8), 16 + (i % 8)];
          const expected = program.modify!(0, 3, query, k, value);
          expect(Math.abs(after.scores[i]! - expected)).toBeLessThanOrEqual(
            1e-5 * Math.max(1, Math.abs(expected)),
          );
          expect(after.visible[i]).toBe(program.isVisible(0, 3, query, k));
        });
      }),
      { numRuns: 200 },
    );
  });
});

describe('a moved slider', () => {
  it('compiles nothing, nor do other lengths or tables elsewhere; another structure does', () => {
    const variant = (mask: readonly (string | number)[], value: number) => ({
      type: 'formula',
      mask: ['q', 'document', 'k', 'document', '==', ...mask, 'and'],
      numbers: [{ name: 'reach', value, min: 0, max: 40 }],
      tables: [parts.tables[0]],
    });
    const near = ['q', 'k', '-', 'reach', '<='];
    const compilesOf = (mask: readonly (string | number)[], value: number, keys: number) => {
      const before = countModuleCompiles();
      const error = errorOf(params(variant(mask, value), { queries: 40, keys }));
      expect(error).toMatchObject({ withinTolerance: true });
      return countModuleCompiles() - before;
    };
    expect(compilesOf(near, 5, 40)).toBe(1);
    expect(compilesOf(near, 9, 40)).toBe(0);
    expect(compilesOf(near, 31, 77)).toBe(0);
    expect(compilesOf(['q', 'k', '-', 'reach', '<'], 31, 77)).toBe(1);
    expect(compilesOf(near, 2, 40)).toBe(0);
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
