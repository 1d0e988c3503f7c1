import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildBlockList } from '../../../lib/attention/block-list';
import { FORMULA_PRESETS, presetVariant } from '../../../lib/attention/presets';
import {
  formulaHazards,
  makeProgram,
  programInterval,
  wholeBox,
} from '../../../lib/attention/program';
import { parseFormula, placeFormula } from '../../../lib/formula/parse';
import { printFormula } from '../../../lib/formula/print-text';
import { printWgsl } from '../../../lib/formula/print-wgsl';
import { fromTokens, toTokens } from '../../../lib/formula/tokens';
import { countNodes, MAX_NODES } from '../../../lib/formula/tree';
import { type AttentionParams, attentionParams } from '../../../lib/spec/kinds/attention';
import { maskTree, SCOPE, scoreTree } from './arbitrary';

const tree = fc.oneof(maskTree, scoreTree).filter((node) => countNodes(node) <= MAX_NODES);
const typeOf = (node: { type: string }) => (node.type === 'bool' ? 'bool' : 'float');

function programOf(
  mask: (string | number)[],
  score: (string | number)[],
  seed = 3,
): AttentionParams {
  return attentionParams.parse({
    shape: { batch: 2, queryHeads: 2, kvHeads: 1, queries: 21, keys: 34, headSize: 8 },
    seed,
    variant: {
      type: 'formula',
      mask,
      score,
      numbers: [
        { name: 'window', value: 7, min: 0, max: 40 },
        { name: 'cap', value: 2.5, min: 0.5, max: 9, step: 0.01 },
      ],
      tables: [
        { name: 'document', source: 'segments', meanTokens: 6 },
        { name: 'bias', source: 'normal', entries: 12 },
      ],
    },
  });
}

describe('text and tokens', () => {
  it('come back as the same tree', () => {
    fc.assert(
      fc.property(tree, (node) => {
        expect(fromTokens(toTokens(node), SCOPE, typeOf(node))).toEqual({ ok: true, node });
        expect(parseFormula(printFormula(node), SCOPE, typeOf(node))).toEqual({ ok: true, node });
      }),
      { numRuns: 400 },
    );
  });

  it('of anything at all give a tree or a sentence, never a crash', () => {
    const piece = fc.constantFrom(
      'q',
      'k',
      '(',
      ')',
      '?',
      ':',
      '&&',
      '-',
      '!',
      '1e9',
      '.',
      ' ',
      'min(',
      ',',
      'x',
      '"',
      '[',
      'this',
      '#',
      '%',
      '<<',
    );
    const text = fc.oneof(
      fc.string({ maxLength: 60 }),
      fc.array(piece, { maxLength: 40 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, fc.constantFrom('bool' as const, 'float' as const), (source, type) => {
        const parsed = parseFormula(source, SCOPE, type);
        if (parsed.ok) expect(fromTokens(toTokens(parsed.node), SCOPE, type).ok).toBe(true);
        else {
          expect(parsed.message).toMatch(/\S/);
          expect(parsed.column).toBeGreaterThanOrEqual(0);
        }
      }),
      { numRuns: 2000 },
    );
    const tokens = fc.array(
      fc.oneof(
        fc.string({ maxLength: 9 }),
        fc.double(),
        fc.constantFrom('q', 'and', '<', 'document', 'select', '__proto__', 'constructor'),
      ),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(tokens, (each) => {
        const built = fromTokens(each, SCOPE, 'bool');
        expect(built.ok || built.message.length > 0).toBe(true);
      }),
      { numRuns: 2000 },
    );
    expect(parseFormula('('.repeat(5000), SCOPE, 'bool')).toMatchObject({ ok: false });
    expect(parseFormula('-'.repeat(1900), SCOPE, 'float')).toMatchObject({ ok: false });
  });
});

describe('interval arithmetic', () => {
  it('holds every value of a box, and block lists hold every visible element', () => {
    fc.assert(
      fc.property(maskTree, scoreTree, fc.integer({ min: 0, max: 99 }), (mask, score, seed) => {
        fc.pre(countNodes(mask) <= MAX_NODES && countNodes(score) <= MAX_NODES);
        const params = programOf(toTokens(mask), toTokens(score), seed);
        const { shape } = params;
        const program = makeProgram(params);
        const scores = programInterval(score, program, shape);
        scores.run({ ...wholeBox(shape, 1), scoreLow: -4, scoreHigh: 4 });
        for (const [blockQueries, blockKeys] of [
          [4, 8],
          [1, 1],
          [16, 32],
        ] as const) {
          const list = buildBlockList(program, shape, 1, [0, 1], blockQueries, blockKeys);
          for (let q = 0; q < shape.queries; q++) {
            const row = Math.floor(q / blockQueries);
            const start = list.offsets[row] as number;
            const listed = list.blocks.subarray(start, list.offsets[row + 1]);
            const full = listed.subarray(0, list.fullCounts[row]);
            for (let k = 0; k < shape.keys; k++) {
              const block = Math.floor(k / blockKeys);
              const isListed = listed.includes(block);
              const isFull = full.includes(block);
              for (const h of [0, 1]) {
                const isVisible = program.isVisible(1, h, q, k);
                const value = program.modify?.(1, h, q, k, ((q * 7 + k) % 9) - 4) ?? 0;
                const isInside = value >= scores.low - 1e-9 && value <= scores.high + 1e-9;
                if ((isVisible ? !isListed : isFull) || !isInside) {
                  expect.fail(`query ${q}, key ${k}, head ${h}, value ${value}`);
                }
              }
            }
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('names what may go wrong for some position of a slider, and where it stands', () => {
    const hazards = (text: string, part: 'mask' | 'score' = 'score', keys = 34) => {
      const params = programOf([], []);
      const placing = placeFormula(text, SCOPE, part === 'mask' ? 'bool' : 'float');
      if (!placing.ok) throw new Error(placing.message);
      const { queries: _, ...shape } = params.shape;
      const program = makeProgram(params);
      return formulaHazards(part, placing.node, program, { ...shape, queries: 21, keys }).map(
        ({ message, node }) => {
          const { start, end } = placing.spans.get(node) ?? { start: -1, end: -1 };
          return [message, text.slice(start, end)];
        },
      );
    };
    expect(hazards('score / cap')).toEqual([]);
    expect(hazards('1 + score / window')).toEqual([['may divide by zero', 'score / window']]);
    expect(hazards('score + log(q - k)')).toEqual([
      ['log of a value that may be 0 or below', 'log(q - k)'],
    ]);
    expect(hazards('exp(score)')).toEqual([
      ['exp of more than 88.7 overflows to infinity', 'exp(score)'],
    ]);
    expect(hazards('score * 1e29')).toEqual([['may be infinite', 'score * 1e29']]);
    // i32 in kernels: the innermost product that passes 2^31 is the cause.
    expect(hazards('1 + q * q * q * q <= k', 'mask', 4096)).toEqual([
      [expect.stringContaining('wrap around'), 'q * q * q'],
    ]);
    expect(hazards('k / 1 * k * k * k <= q', 'mask', 4096)).toEqual([]);
  });
});

describe('presets', () => {
  const params = (variant: unknown) =>
    attentionParams.parse({
      shape: { queries: 512, keys: 512, headSize: 8, queryHeads: 4, kvHeads: 2 },
      variant,
    });

  it.each(FORMULA_PRESETS.map((preset) => [preset.id, preset] as const))(
    '%s is a variant without hazards that lets every query see something',
    (id, preset) => {
      const each = params(presetVariant(preset));
      const program = makeProgram(each);
      for (const part of ['mask', 'score'] as const) {
        const node = program[part];
        if (node === undefined) continue;
        expect(formulaHazards(part, node, program, each.shape), id).toEqual([]);
      }
      for (let q = 0; q < 512; q += 37) {
        let seen = 0;
        for (let k = 0; k < 512; k++) if (program.isVisible(0, 1, q, k)) seen++;
        expect(seen).toBeGreaterThan(0);
      }
    },
  );

  it('mean what they say, against masks written out by hand', () => {
    const visible = (id: string) => {
      const preset = FORMULA_PRESETS.find((each) => each.id === id);
      if (preset === undefined) throw new Error(id);
      return makeProgram(params(presetVariant(preset))).isVisible;
    };
    const byHand: Record<string, (q: number, k: number) => boolean> = {
      causal: (q, k) => k <= q,
      dilated: (q, k) => k <= q && q - k < 512 && (q - k) % 4 === 0,
      'prefix-lm': (q, k) => k <= q || k < 256,
      'block-causal': (q, k) => k >> 6 <= q >> 6,
      streams: (q, k) => k >> 2 < q >> 2 || k === q,
      natten: (q, k) => {
        const clamp = (x: number, n: number) => Math.min(Math.max(x, 3), n - 4);
        return (
          Math.abs(clamp(q % 32, 32) - (k % 32)) <= 3 && Math.abs(clamp(q >> 5, 16) - (k >> 5)) <= 3
        );
      },
      'block-diffusion': (q, k) => {
        const [bq, bk] = [(q % 256) >> 5, (k % 256) >> 5];
        if (q < 256) return k < 256 ? bq === bk : bk < bq;
        return k >= 256 && bk <= bq;
      },
    };
    for (const [id, expected] of Object.entries(byHand)) {
      const isVisible = visible(id);
      for (let q = 0; q < 512; q += 3) {
        for (let k = 0; k < 512; k++) {
          if (isVisible(0, 0, q, k) !== expected(q, k)) expect.fail(`${id} differs at ${q}, ${k}`);
        }
      }
    }
  });

  it('number a tree so that ancestors come from one comparison', () => {
    const preset = FORMULA_PRESETS.find(({ id }) => id === 'tree');
    const isVisible = makeProgram(params(presetVariant(preset!))).isVisible;
    let beyondParent = 0;
    for (let q = 0; q < 512; q++) {
      expect(isVisible(0, 0, q, q)).toBe(true);
      for (let k = 0; k < q; k++) {
        if (!isVisible(0, 0, q, k)) continue;
        beyondParent++;
        // What an ancestor sees, its descendants see.
        for (let a = 0; a < k; a++)
          if (isVisible(0, 0, k, a)) expect(isVisible(0, 0, q, a)).toBe(true);
      }
    }
    expect(beyondParent).toBeGreaterThan(511);
  });
});

describe('printed for the kernels', () => {
  const names = {
    variable: (name: string) => name,
    number: (name: string) => `numbers_${name}`,
    table: (name: string, index: string) => `read_${name}(${index})`,
  };
  it('holds nothing but names it was given, numbers and operators', () => {
    fc.assert(
      fc.property(tree, (node) => {
        const text = printWgsl(node, names, 1, typeOf(node));
        expect(
          text.replace(
            /\b(?:numbers_(?:window|cap)|read_(?:document|bias)|score|queries|keys|heads|[bhqk]|i32|u32|u|f32|select|min|max|abs|floor|tanh|clamp|floorDivide1|floorModulo1|floorModuloF1|true|false)\b/g,
            '',
          ),
        ).toMatch(/^[\s\d().,+\-*/<>=!&|eu]*$/);
      }),
    );
  });
});
