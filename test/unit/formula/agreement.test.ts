import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildBlockList } from '../../../lib/attention/block-list';
import { BLOCK, blockStates } from '../../../lib/attention/block-states';
import {
  type AttentionProgram,
  assembleProgram,
  makeProgram,
  programInterval,
  queryPosition,
} from '../../../lib/attention/program';
import { parseFormula } from '../../../lib/formula/parse';
import { countNodes, type FormulaNode, MAX_NODES } from '../../../lib/formula/tree';
import { type AttentionShape, attentionParams } from '../../../lib/spec/kinds/attention';
import { HARD_PARTS, HARD_SCOPE, hardFloat, hardMask, hardWhole } from './arbitrary-hard';
import { runTile, TILE } from './wasm-tile';

const RUNS = Number(process.env.FORMULA_RUNS ?? 1);

const shapeOf = (queries: number, keys: number) =>
  attentionParams.parse({
    shape: { batch: 2, queryHeads: 2, kvHeads: 1, queries, keys, headSize: 4 },
    seed: 3,
    variant: { type: 'formula', ...HARD_PARTS },
  });

/** Tables take longer than formulas: made once per length. */
const kept = new Map<
  string,
  { readonly shape: AttentionShape; readonly program: AttentionProgram }
>();

function programOf(
  mask: FormulaNode | undefined,
  score: FormulaNode | undefined,
  { queries, keys }: { readonly queries: number; readonly keys: number },
) {
  const name = `${queries} ${keys}`;
  const params = kept.has(name) ? undefined : shapeOf(queries, keys);
  if (params !== undefined) kept.set(name, { shape: params.shape, program: makeProgram(params) });
  const { shape, program } = kept.get(name) as NonNullable<ReturnType<typeof kept.get>>;
  const { numbers, tables } = program;
  return { shape, program: assembleProgram(shape, { mask, score, numbers, tables }) };
}

const fits = (...nodes: readonly FormulaNode[]) =>
  nodes.every((node) => countNodes(node) <= MAX_NODES);

describe('hard formulas mean the same', () => {
  const shapes = fc.constantFrom(
    { queries: 21, keys: 34 },
    { queries: 5, keys: 65_536 },
    { queries: 300, keys: 40 },
  );

  it('in WebAssembly and in the reference, in every bit', () => {
    fc.assert(
      fc.property(
        hardMask,
        fc.oneof(hardFloat, hardWhole),
        shapes,
        fc.nat(1),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        (mask, score, shape, head, where) => {
          fc.pre(fits(mask, score));
          const { program } = programOf(mask, score, shape);
          const place = {
            batch: 1,
            head,
            firstRow: Math.floor(where * shape.queries),
            firstKey: Math.floor(where * shape.keys),
          };
          const after = runTile(program, { ...shape, queryHeads: 2 }, place, new Float32Array(32));
          for (let i = 0; i < 32; i++) {
            const q = place.firstRow + Math.floor(i / TILE.columns);
            const k = place.firstKey + (i % TILE.columns);
            expect(after.visible[i]).toBe(program.isVisible(1, head, q, k));
            // Zero has two signs, which no formula tells apart.
            const expected = Math.fround(program.modify?.(1, head, q, k, 0) ?? 0) + 0;
            expect((after.scores[i] as number) + 0).toBe(expected);
          }
        },
      ),
      { numRuns: 400 * RUNS },
    );
  });

  it('in blocks and in the reference: skipped blocks hold nothing, full ones everything', () => {
    fc.assert(
      fc.property(hardMask, fc.constantFrom([4, 8], [1, 1], [16, 32]), (mask, [rows, columns]) => {
        fc.pre(fits(mask));
        const { shape, program } = programOf(mask, undefined, { queries: 21, keys: 34 });
        const list = buildBlockList(program, shape, 1, [0, 1], rows as number, columns as number);
        const states = blockStates(list);
        for (let q = 0; q < shape.queries; q++) {
          for (let k = 0; k < shape.keys; k++) {
            const row = Math.floor(q / list.blockQueries);
            const state = states[row * list.keyBlocks + Math.floor(k / list.blockKeys)];
            for (const h of [0, 1]) {
              const isVisible = program.isVisible(1, h, q, k);
              if (state === (isVisible ? BLOCK.skipped : BLOCK.full)) {
                expect.fail(`query ${q}, key ${k}, head ${h} is ${isVisible}, block ${state}`);
              }
            }
          }
        }
      }),
      { numRuns: 150 * RUNS },
    );
  });

  it('in intervals and in the reference, over positions at which whole numbers wrap', () => {
    fc.assert(
      fc.property(
        fc.oneof(hardWhole, hardFloat),
        fc.nat(65_535),
        fc.nat(65_535),
        fc.nat(40),
        (score, q, k, size) => {
          fc.pre(fits(score));
          const { shape, program } = programOf(undefined, score, { queries: 16_384, keys: 65_536 });
          const first = queryPosition(shape, 0);
          const [query, key] = [Math.min(q, 16_383), k];
          const interval = programInterval(score, program, shape);
          interval.run({
            batch: 1,
            headLow: 0,
            headHigh: 1,
            queryLow: first + Math.max(0, query - size),
            queryHigh: first + query,
            keyLow: Math.max(0, key - size),
            keyHigh: key,
            scoreLow: 0,
            scoreHigh: 0,
          });
          for (let i = 0; i <= size; i++) {
            const at = [Math.max(0, query - i), Math.max(0, key - ((i * 7) % (size + 1)))] as const;
            const value = program.modify?.(1, i % 2, ...at, 0) ?? 0;
            const isInside = Number.isNaN(value)
              ? interval.mayBeNaN
              : value >= interval.low && value <= interval.high;
            if (!isInside)
              expect.fail(`${value} at ${at} beyond ${interval.low}..${interval.high}`);
          }
        },
      ),
      { numRuns: 100 * RUNS },
    );
  });
});

describe('whole numbers and NaN', () => {
  const at = (text: string, q: number, k: number, keys = 65_536) => {
    const parsed = parseFormula(text, HARD_SCOPE, 'float');
    if (!parsed.ok) throw new Error(parsed.message);
    const { program } = programOf(undefined, parsed.node, { queries: 1, keys });
    const after = runTile(
      program,
      { queries: 1, keys, queryHeads: 2 },
      { batch: 0, head: 0, firstRow: q - keys + 1, firstKey: k },
      new Float32Array(32),
    );
    expect(after.scores[0]).toBe(Math.fround(program.modify?.(0, 0, q - keys + 1, k, 0) ?? 0));
    return after.scores[0];
  };
  it.each([
    ['q * q % 1000', 46_341, 0, 985],
    ['floor((0 - k) / 3)', 0, 7, -3],
    ['(0 - k) % 3', 0, 7, 2],
    ['k % (0 - 3)', 0, 7, -2],
    ['floor(k / (0 - 3))', 0, 7, -3],
    ['floor(k / (q - q))', 5, 7, 0],
    ['floor(k * 1e12)', 0, 7, 2_147_483_520],
    ['floor(0 - k * 1e12)', 0, 7, -2_147_483_648],
    ['floor(sqrt(0 - k))', 0, 7, 0],
    ['abs(0 - 16777215 * 128 - 128)', 0, 0, -2_147_483_648],
  ])('%s at q %i, k %i is %d', (text, q, k, expected) => {
    expect(at(text, q, k)).toBe(expected);
  });

  it('never make a block full through a comparison with NaN', () => {
    const parsed = parseFormula('log(q - k) < 100', HARD_SCOPE, 'bool');
    if (!parsed.ok) throw new Error(parsed.message);
    const { shape, program } = programOf(parsed.node, undefined, { queries: 64, keys: 64 });
    const list = buildBlockList(program, shape, 0, [0, 1], 16, 16);
    // Keys after the query: the logarithm of a negative number is below nothing.
    expect(blockStates(list)[3]).toBe(BLOCK.partial);
    expect(blockStates(list)[4]).toBe(BLOCK.full);
  });
});
