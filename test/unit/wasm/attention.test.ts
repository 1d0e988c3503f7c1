import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildBlockList } from '../../../lib/attention/block-list';
import { ATTENTION_CASES } from '../../../lib/attention/cases';
import { compareOutputs } from '../../../lib/attention/compare';
import { makeInputs } from '../../../lib/attention/inputs';
import { attentionReference } from '../../../lib/attention/reference';
import type { AttentionInputs } from '../../../lib/attention/types';
import { type AttentionParams, attentionParams } from '../../../lib/spec/kinds/attention';
import {
  BLOCK_KEYS,
  BLOCK_QUERIES,
  createWasmAttention,
  type ModifyScores,
  splitRows,
  type WasmAttention,
  type WasmAttentionOptions,
  type WriteVisible,
} from '../../../lib/wasm/attention';
import { MAX_HEAD_SIZE } from '../../../lib/wasm/layout';

const WHOLE = { maxFlops: Infinity };
const newMemory = () => new WebAssembly.Memory({ initial: 1, maximum: 65_536 });

function inputsOf(
  shape: Partial<AttentionParams['shape']>,
  variant: AttentionParams['variant'] = { type: 'causal' },
): AttentionInputs {
  const full = { batch: 1, queryHeads: 2, kvHeads: 1, queries: 40, keys: 40, headSize: 32 };
  return makeInputs(attentionParams.parse({ shape: { ...full, ...shape }, variant, seed: 11 }));
}

/** The program's mask and score formula, element by element, over a memory. */
function formulasOf(
  inputs: AttentionInputs,
  memory: WebAssembly.Memory,
): Pick<WasmAttentionOptions, 'modify' | 'visible'> {
  const { queries, keys } = inputs.shape;
  const { isVisible, modify } = inputs.program;
  const visible: WriteVisible = (pointer, batch, head, firstRow, firstKey, rows) => {
    const words = new Uint32Array(memory.buffer, pointer, rows);
    for (let i = 0; i < rows; i++) {
      words[i] = 0;
      for (let j = 0; j < BLOCK_KEYS; j++) {
        // Past the last key anything may be said.
        const isSeen = firstKey + j >= keys || isVisible(batch, head, firstRow + i, firstKey + j);
        words[i] = (words[i] as number) | (Number(isSeen) << j);
      }
    }
  };
  if (modify === undefined) return { visible };
  return {
    visible,
    modify: (pointer, batch, head, firstRow, firstKey) => {
      const tile = new Float32Array(memory.buffer, pointer, BLOCK_QUERIES * BLOCK_KEYS);
      for (let i = 0; i < Math.min(BLOCK_QUERIES, queries - firstRow); i++) {
        for (let j = 0; j < Math.min(BLOCK_KEYS, keys - firstKey); j++) {
          const at = i * BLOCK_KEYS + j;
          tile[at] = modify(batch, head, firstRow + i, firstKey + j, tile[at] as number);
        }
      }
    },
  };
}

/** Every head's given query blocks, by the block list of the program. */
function runBlocks(attention: WasmAttention, inputs: AttentionInputs, queryBlocks: Uint32Array) {
  const { batch, queryHeads } = inputs.shape;
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < queryHeads; h++) {
      const list = buildBlockList(
        inputs.program,
        inputs.shape,
        b,
        [h, h],
        BLOCK_QUERIES,
        BLOCK_KEYS,
      );
      for (const i of queryBlocks) {
        const blocks = list.blocks.subarray(list.offsets[i], list.offsets[i + 1]);
        attention.runBlock(b, h, i, blocks, list.fullCounts[i] as number);
      }
    }
  }
}

const allBlocks = ({ shape }: AttentionInputs) =>
  Uint32Array.from({ length: Math.ceil(shape.queries / BLOCK_QUERIES) }, (_, i) => i);

function attend(inputs: AttentionInputs, options: WasmAttentionOptions = {}): WasmAttention {
  const memory = options.memory ?? newMemory();
  const attention = createWasmAttention({
    ...formulasOf(inputs, memory),
    ...options,
    memory,
  });
  attention.load({ ...inputs.shape, ...inputs });
  runBlocks(attention, inputs, allBlocks(inputs));
  return attention;
}

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

describe('blocks and instances', () => {
  it('a query block writes its own rows only, and a second load starts afresh', () => {
    const inputs = inputsOf({ queries: 50, keys: 50 });
    const whole = attend(inputs);
    const memory = newMemory();
    const attention = createWasmAttention({ memory, ...formulasOf(inputs, memory) });
    const large = inputsOf({ queries: 90, keys: 300 });
    attention.load({ ...large.shape, ...large });
    new Float32Array(memory.buffer).fill(Number.NaN);
    attention.load({ ...inputs.shape, ...inputs });
    attention.output.fill(7);
    runBlocks(attention, inputs, Uint32Array.of(1, 3));
    attention.output.forEach((value, at) => {
      const block = Math.floor((Math.floor(at / 32) % 50) / BLOCK_QUERIES);
      expect(value).toBe(block % 2 === 1 ? whole.output[at] : 7);
    });
  });

  it.each([3, 90])(
    'two instances over a shared memory give the bits of one, %i queries',
    (queries) => {
      const inputs = inputsOf({ queries, keys: 90 });
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 4096, shared: true });
      const formulas = formulasOf(inputs, memory);
      const reservedBytes = 1000;
      new Uint8Array(memory.buffer).fill(5, 0, reservedBytes);
      const parts = splitRows(allBlocks(inputs).length, 2);
      const [first, second] = parts.map((_, instance) =>
        createWasmAttention({ memory, ...formulas, reservedBytes, instances: 2, instance }),
      ) as [WasmAttention, WasmAttention];
      first.load({ ...inputs.shape, ...inputs });
      second.attach(inputs.shape);
      runBlocks(second, inputs, parts[1] as Uint32Array);
      runBlocks(first, inputs, parts[0] as Uint32Array);
      const alone = attend(inputs);
      expect(first.output).toEqual(new Float32Array(alone.output));
      expect(second.lse).toEqual(new Float32Array(alone.lse));
      const reserved = new Uint8Array(memory.buffer).slice(0, reservedBytes);
      expect(reserved.every((byte) => byte === 5)).toBe(true);
    },
  );

  it('splitRows gives every block to one part and balances causal rows', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1, max: 20 }), (n, parts) => {
        const split = splitRows(n, parts);
        expect(split).toHaveLength(parts);
        const all = split.flatMap((part) => Array.from(part)).sort((a, b) => a - b);
        expect(all).toEqual(Array.from({ length: n }, (_, i) => i));
        const costs = split.map((part) => part.reduce((sum, block) => sum + block + 1, 0));
        const spread = Math.max(...costs) - Math.min(...costs);
        expect(spread).toBeLessThanOrEqual(n % (2 * parts) === 0 ? 0 : n + parts);
      }),
    );
    expect(() => splitRows(4, 0)).toThrow('invalid parts: 0 (expected an integer from 1)');
  });
});

describe('errors', () => {
  const inputs = inputsOf({ queries: 20, keys: 40 });
  const loadWith = (changes: object, options: WasmAttentionOptions = {}) =>
    createWasmAttention(options).load({ ...inputs.shape, ...inputs, ...changes });

  it('name what is wrong with the inputs', () => {
    expect(() => loadWith({ headSize: 6 })).toThrow('invalid headSize: 6');
    expect(() => loadWith({ headSize: 260 })).toThrow('invalid headSize: 260');
    expect(() => loadWith({ keys: 0 })).toThrow('invalid keys: 0');
    expect(() => loadWith({ kvHeads: 3 })).toThrow('invalid kvHeads: 3');
    expect(() => loadWith({ value: new Float32Array(5) })).toThrow(
      'invalid value: 5 values (expected 1280)',
    );
    expect(() => createWasmAttention({ instance: 2, instances: 2 })).toThrow(
      'invalid instance: 2 (expected 0..1)',
    );
  });

  it('say that the memory cannot grow', () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 2 });
    const large = inputsOf({ queries: 1024, keys: 1024 });
    expect(() => createWasmAttention({ memory }).load({ ...large.shape, ...large })).toThrow(
      /attention needs 1 MiB of memory, more than WebAssembly could get here/,
    );
  });

  it('name a block or index that does not exist', () => {
    const attention = createWasmAttention();
    const run = (...args: Parameters<WasmAttention['runBlock']>) => attention.runBlock(...args);
    expect(() => run(0, 0, 0, Uint32Array.of(0), 1)).toThrow('call load first');
    expect(() => attention.output).toThrow('call load first');
    attention.load({ ...inputs.shape, ...inputs });
    expect(() => run(1, 0, 0, Uint32Array.of(0), 1)).toThrow('invalid batch: 1 (expected 0..0)');
    expect(() => run(0, 2, 0, Uint32Array.of(0), 1)).toThrow('invalid head: 2');
    expect(() => run(0, 0, 2, Uint32Array.of(0), 1)).toThrow('invalid queryBlock: 2');
    expect(() => run(0, 0, 0, Uint32Array.of(2), 1)).toThrow('invalid key block: 2');
    expect(() => run(0, 0, 0, Uint32Array.of(0), 2)).toThrow('invalid fullCount: 2');
    expect(() => run(0, 0, 0, Uint32Array.of(0, 1, 0), 2)).toThrow('invalid blocks: 3');
  });
});
