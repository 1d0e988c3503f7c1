import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bindings, makeEvaluate } from '../../../lib/formula/evaluate';
import { explain } from '../../../lib/formula/explain';
import { parseFormula } from '../../../lib/formula/parse';
import { MASK_VARIABLES, type Scope } from '../../../lib/formula/tree';

const SCOPE: Scope = {
  variables: { ...MASK_VARIABLES, score: 'float' },
  numbers: { window: 'int', slope: 'float' },
  tables: { document: 'int' },
};
const BINDINGS: Bindings = {
  queries: 1024,
  keys: 1024,
  heads: 8,
  number: (name) => (name === 'window' ? 256 : 0.5),
  table: () => (index) => Math.floor(index / 100),
};
const point = (q: number, k: number, score = 0) => ({ b: 0, h: 2, q, k, score });

function explained(text: string, type: 'bool' | 'float', q: number, k: number, score = 0) {
  const parsed = parseFormula(text, SCOPE, type);
  if (!parsed.ok) throw new Error(parsed.message);
  return explain(parsed.node, BINDINGS, point(q, k, score));
}

describe('an explanation', () => {
  it('puts values in the places of names and says which term decides', () => {
    const { text, substituted, value, terms, reads } = explained(
      'k <= q && q - k < window',
      'bool',
      812,
      500,
    );
    expect(text).toBe('k <= q && q - k < window');
    expect(substituted).toBe('500 <= 812 && 812 - 500 < 256');
    expect(value).toBe(0);
    expect(terms.map((term) => [term.substituted, term.value])).toEqual([
      ['500 <= 812', 1],
      ['812 - 500 < 256', 0],
    ]);
    expect(reads).toEqual([
      { name: 'k', value: 500 },
      { name: 'q', value: 812 },
      { name: 'window', value: 256 },
    ]);
  });

  it('reads tables and says at what', () => {
    const { substituted, value, reads } = explained('document(q) == document(k)', 'bool', 812, 790);
    expect(substituted).toBe('8 == 7');
    expect(value).toBe(0);
    expect(reads.map(({ name }) => name)).toEqual(['q', 'document(q)', 'k', 'document(k)']);
  });

  it('gives a score before and after', () => {
    const { substituted, value, isCondition } = explained(
      'score - slope * (q - k)',
      'float',
      10,
      8,
      1.25,
    );
    expect(substituted).toBe('1.25 - 0.5 * (10 - 8)');
    expect(value).toBe(0.25);
    expect(isCondition).toBe(false);
  });

  it('has the value of the formula, and its terms decide it, at any point', () => {
    const formulas = [
      'k <= q && (q - k < window || k < 4)',
      '!(q < k) && document(q) == document(k)',
      'k <= q ? q - k < window : k < 3',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...formulas), fc.nat(1023), fc.nat(1023), (formula, q, k) => {
        const parsed = parseFormula(formula, SCOPE, 'bool');
        if (!parsed.ok) throw new Error(parsed.message);
        const { value, terms } = explain(parsed.node, BINDINGS, point(q, k));
        expect(value).toBe(makeEvaluate(parsed.node, BINDINGS)(point(q, k)));
        // What is substituted is the same truth: read again, it has the same value.
        for (const term of terms) {
          const again = parseFormula(term.substituted, SCOPE, 'bool');
          if (!again.ok) throw new Error(again.message);
          expect(makeEvaluate(again.node, BINDINGS)(point(0, 0))).toBe(term.value);
        }
      }),
    );
  });
});
