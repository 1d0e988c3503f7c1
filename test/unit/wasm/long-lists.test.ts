import { expect, it } from 'vitest';
import { createRandom } from '../../../lib/random/random';
import { BLOCK_KEYS, createWasmAttention } from '../../../lib/wasm/attention';

const BLOCKS = 20;

/** Which keys rows of four see: some only early blocks, some only late ones, some none, some all. */
const sees = (row: number, key: number): boolean => {
  const block = Math.floor(key / BLOCK_KEYS);
  switch (Math.floor(row / 4) % 4) {
    case 0:
      return block < 3 && (key + row) % 3 > 0;
    case 1:
      return block === 18 && key % 32 > row;
    case 2:
      return false;
    default:
      return block !== 7;
  }
};

it.each([
  { queries: 16, headSize: 64 },
  { queries: 14, headSize: 64 },
  { queries: 30, headSize: 12 },
])(
  'sums of lists longer than one step of the softmax: $queries queries, head size $headSize',
  ({ queries, headSize }) => {
    const keys = BLOCKS * BLOCK_KEYS - 5;
    const random = createRandom(4);
    const values = (count: number) =>
      Float32Array.from({ length: count }, () => 2 * random.uniform() - 1);
    const [query, key, value] = [queries, keys, keys].map((rows) => values(rows * headSize)) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 4096 });
    const attention = createWasmAttention({
      memory,
      visible: (pointer, _batch, _head, firstRow, firstKey, rows) => {
        const words = new Uint32Array(memory.buffer, pointer, rows);
        for (let i = 0; i < rows; i++) {
          words[i] = 0;
          for (let j = 0; j < BLOCK_KEYS; j++) {
            words[i] = (words[i] as number) | (Number(sees(firstRow + i, firstKey + j)) << j);
          }
        }
      },
    });
    attention.load({
      ...{ batch: 1, queryHeads: 1, kvHeads: 1, queries, keys, headSize },
      ...{ query, key, value },
    });
    const list = Uint32Array.from({ length: BLOCKS }, (_, i) => i);
    for (let block = 0; block * 16 < queries; block++) attention.runBlock(0, 0, block, list, 0);

    for (let row = 0; row < queries; row++) {
      const weights = Array.from({ length: keys }, (_, j) => {
        if (!sees(row, j)) return 0;
        let score = 0;
        for (let d = 0; d < headSize; d++) {
          score += (query[row * headSize + d] as number) * (key[j * headSize + d] as number);
        }
        return Math.exp(score / Math.sqrt(headSize));
      });
      const sum = weights.reduce((total, each) => total + each, 0);
      expect(attention.lse[row]).toBeCloseTo(Math.log(sum), 5);
      for (let d = 0; d < headSize; d++) {
        const weighted = weights.reduce(
          (total, each, j) => total + each * (value[j * headSize + d] as number),
          0,
        );
        expect(attention.output[row * headSize + d]).toBeCloseTo(sum > 0 ? weighted / sum : 0, 5);
      }
    }
  },
);
