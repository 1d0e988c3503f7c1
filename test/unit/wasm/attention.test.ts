import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ATTENTION_CASES } from '../../../lib/attention/cases';
import { compareOutputs } from '../../../lib/attention/compare';
import { makeInputs } from '../../../lib/attention/inputs';
import { attentionReference } from '../../../lib/attention/reference';
import {
  BLOCK_KEYS,
  BLOCK_QUERIES,
  createWasmAttention,
  type ModifyScores,
  type WriteVisible,
} from '../../../lib/wasm/attention';
import { MAX_HEAD_SIZE } from '../../../lib/wasm/layout';
import { attend, formulasOf, inputsOf, newMemory, WHOLE } from './attention-run';

describe('against the f64 reference', () => {
  it.each(ATTENTION_CASES)('$name', ({ params, queryScale }) => {
    const made = makeInputs(params);
    const inputs = { ...made, query: made.query.map((value) => value * queryScale) };
    const error = compareOutputs(inputs, attend(inputs), WHOLE);
    expect(error.checkedRows).toBe(error.totalRows);
    expect(error).toMatchObject({ withinTolerance: true });
  });

  it.each([3, 21])('every head size, %i queries', (queries) => {
    for (let headSize = 4; headSize <= MAX_HEAD_SIZE; headSize += 4) {
      const inputs = inputsOf({ queries, keys: 45, headSize });
      const error = compareOutputs(inputs, attend(inputs), WHOLE);
      expect(error, `head size ${headSize}`).toMatchObject({ withinTolerance: true });
    }
  });

  it('random shapes and windows', () => {
    const shapes = fc.record({
      batch: fc.integer({ min: 1, max: 2 }),
      kvHeads: fc.integer({ min: 1, max: 2 }),
      group: fc.integer({ min: 1, max: 3 }),
      queries: fc.integer({ min: 1, max: 70 }),
      keys: fc.integer({ min: 1, max: 140 }),
      quarter: fc.integer({ min: 1, max: 12 }),
      windowTokens: fc.integer({ min: 1, max: 90 }),
    });
    fc.assert(
      fc.property(shapes, ({ group, quarter, windowTokens, ...rest }) => {
        const inputs = inputsOf(
          { ...rest, queryHeads: group * rest.kvHeads, headSize: 4 * quarter },
          { type: 'sliding-window', windowTokens },
        );
        expect(compareOutputs(inputs, attend(inputs), WHOLE).withinTolerance).toBe(true);
      }),
      { numRuns: 60, seed: 5 },
    );
  });

  it.each([2, 37])('a score modifier in full blocks too, %i queries', (queries) => {
    const made = inputsOf({ queries, keys: 80 });
    const modify = (_: number, head: number, query: number, key: number, score: number) =>
      20 * Math.tanh(score / 20) - 0.02 * (head + 1) * Math.abs(query - key);
    const inputs = { ...made, program: { ...made.program, modify } };
    expect(compareOutputs(inputs, attend(inputs), WHOLE).withinTolerance).toBe(true);
    const without = attend({ ...inputs, program: { ...inputs.program, modify: undefined } });
    expect(compareOutputs(inputs, without, WHOLE).withinTolerance).toBe(false);
  });

  it.each([4, 33])('logits of tens of thousands stay finite, %i queries', (queries) => {
    const made = inputsOf({ queries, keys: 70, headSize: 64 });
    const inputs = { ...made, query: made.query.map((value) => value * 1e4) };
    const { output, lse } = attend(inputs);
    const expected = attentionReference(inputs);
    expect(Math.max(...expected.lse)).toBeGreaterThan(2e4);
    expect(output.every(Number.isFinite)).toBe(true);
    lse.forEach((value, row) => {
      expect(Math.abs(value / (expected.lse[row] as number) - 1)).toBeLessThan(1e-5);
    });
  });
});

describe('masked rows', () => {
  it.each([1, 20])(
    'no block, or only masked ones, is output 0 and lse -Infinity, %i queries',
    (queries) => {
      const inputs = inputsOf({ queries, keys: 64 });
      const memory = newMemory();
      const visible: WriteVisible = (pointer, _b, _h, _row, _key, rows) =>
        new Uint32Array(memory.buffer, pointer, rows).fill(0);
      const attention = createWasmAttention({ memory, visible });
      attention.load({ ...inputs.shape, ...inputs });
      for (const blocks of [[], [0, 1]]) {
        attention.output.fill(7);
        attention.lse.fill(7);
        attention.runBlock(0, 0, 0, Uint32Array.from(blocks), 0);
        const rows = Math.min(queries, BLOCK_QUERIES);
        expect(attention.output.subarray(0, rows * 32).every((value) => value === 0)).toBe(true);
        expect(attention.lse.subarray(0, rows).every((value) => value === -Infinity)).toBe(true);
      }
    },
  );

  it('a block masked whole does not weigh on the blocks before and after it', () => {
    const made = inputsOf({ queries: 16, keys: 96 }, { type: 'dense' });
    const isVisible = (_b: number, _h: number, _q: number, key: number) =>
      Math.floor(key / BLOCK_KEYS) !== 1;
    const inputs = { ...made, program: { ...made.program, isVisible } };
    for (const order of [
      [1, 0, 2],
      [0, 1, 2],
    ]) {
      const memory = newMemory();
      const attention = createWasmAttention({ memory, ...formulasOf(inputs, memory) });
      attention.load({ ...inputs.shape, ...inputs });
      for (const head of [0, 1]) attention.runBlock(0, head, 0, Uint32Array.from(order), 0);
      expect(compareOutputs(inputs, attention, WHOLE).withinTolerance).toBe(true);
    }
  });

  it('a NaN in the query reaches its row and no other', () => {
    const made = inputsOf({ queries: 20, keys: 40 }, { type: 'dense' });
    const query = made.query.slice();
    query[5 * 32 + 3] = Number.NaN;
    const { lse } = attend({ ...made, query });
    expect(
      Array.from(lse, (value, row) => (Number.isNaN(value) ? row : -1)).filter((r) => r >= 0),
    ).toEqual([5]);
  });
});

describe('modify and visible', () => {
  it.each([2, 20])('are told where the tile lies and see scaled scores, %i queries', (queries) => {
    const inputs = inputsOf({ queries, keys: 70, headSize: 8 });
    const { query, key } = inputs;
    const memory = newMemory();
    const modified: number[][] = [];
    const asked: number[][] = [];
    const modify: ModifyScores = (pointer, batch, head, firstRow, firstKey) => {
      modified.push([batch, head, firstRow, firstKey]);
      const tile = new Float32Array(memory.buffer, pointer, BLOCK_QUERIES * BLOCK_KEYS);
      for (let i = 0; i < Math.min(BLOCK_QUERIES, queries - firstRow); i++) {
        for (let j = 0; j < Math.min(BLOCK_KEYS, 70 - firstKey); j++) {
          let dot = 0;
          for (let d = 0; d < 8; d++) {
            const q = query[(head * queries + firstRow + i) * 8 + d] as number;
            dot += q * (key[(firstKey + j) * 8 + d] as number);
          }
          expect(tile[i * BLOCK_KEYS + j]).toBeCloseTo(dot / Math.sqrt(8), 4);
        }
      }
    };
    const visible: WriteVisible = (pointer, ...rest) => {
      asked.push(rest);
      new Uint32Array(memory.buffer, pointer, rest[4]).fill(0xffffffff);
    };
    const attention = createWasmAttention({ memory, modify, visible });
    attention.load({ ...inputs.shape, ...inputs });
    const last = Math.ceil(queries / BLOCK_QUERIES) - 1;
    const firstRow = last * BLOCK_QUERIES;
    attention.runBlock(0, 1, last, Uint32Array.of(1, 0, 2), 1);
    expect(modified).toEqual([32, 0, 64].map((firstKey) => [0, 1, firstRow, firstKey]));
    expect(asked).toEqual(
      [0, 64].map((firstKey) => [0, 1, firstRow, firstKey, queries - firstRow]),
    );
  });

  it('may come from another WebAssembly module over the same memory', () => {
    // (func (export "visible") (param i32 x 6) (i32.store (local.get 0) (i32.const -2)))
    const text = (name: string) => [name.length, ...new TextEncoder().encode(name)];
    const section = (id: number, ...body: number[]) => [id, body.length, ...body];
    const code = [0, 0x20, 0, 0x41, 0x7e, 0x36, 2, 0, 0x0b];
    const binary = Uint8Array.of(
      ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...section(1, 1, 0x60, 6, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0),
      ...section(2, 1, ...text('env'), ...text('memory'), 2, 1, 0, 0x80, 0x80, 4),
      ...section(3, 1, 0),
      ...section(7, 1, ...text('visible'), 0, 0),
      ...section(10, 1, code.length, ...code),
    );
    const memory = newMemory();
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary), {
      env: { memory },
    });
    const made = inputsOf({ queries: 33, keys: 50 }, { type: 'dense' });
    // Of every query block the first row alone is written, and sees all but the first key of a block.
    const isVisible = (_b: number, _h: number, query: number, key: number) =>
      query % BLOCK_QUERIES === 0 && key % BLOCK_KEYS !== 0;
    const inputs = { ...made, program: { ...made.program, isVisible } };
    const attention = createWasmAttention({ memory, visible: exports.visible as WriteVisible });
    attention.load({ ...inputs.shape, ...inputs });
    for (const head of [0, 1]) {
      for (const block of [0, 1, 2]) attention.runBlock(0, head, block, Uint32Array.of(0, 1), 0);
    }
    expect(compareOutputs(inputs, attention, WHOLE).withinTolerance).toBe(true);
  });
});
