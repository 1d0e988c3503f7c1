import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BLOCK_QUERIES,
  createWasmAttention,
  splitRows,
  type WasmAttention,
  type WasmAttentionOptions,
} from '../../../lib/wasm/attention';
import { allBlocks, attend, formulasOf, inputsOf, newMemory, runBlocks } from './attention-run';

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
