import { describe, expect, it } from 'vitest';
import { findHabit } from '../../../lib/formula/habits';
import { parseFormula } from '../../../lib/formula/parse';
import { SCOPE } from './arbitrary';

/** Text, column of the mistake from 0, and what the message must say. */
const MASKS: readonly (readonly [string, number, RegExp])[] = [
  // Names.
  ['k <= q && windw > 3', 10, /unknown name: windw \(write window\) \(known: b, h, q, k/],
  ['k <= q && q - k < Window', 18, /unknown name: Window \(write window\)/],
  ['q_idx >= kv_idx', 0, /unknown name: q_idx \(write q\)/],
  ['q >= kv_idx', 5, /unknown name: kv_idx \(write k\)/],
  ['k < seq_len', 4, /unknown name: seq_len \(write keys\)/],
  ['k < zebra', 4, /unknown name: zebra \(known: /],
  ['score > 3', 0, /unknown name: score|score is known in a score formula only/],
  ['k <= q && true', 10, /unknown name: true \(write 0 == 0\)/],
  ['k <= q and False', 11, /unknown name: False \(write 0 == 1\)/],
  ['k <= q && this', 10, /unknown name: this/],
  ['k <= q && null', 10, /unknown name: null/],
  // Types.
  ['k <= q && q - k', 10, /&& joins conditions, not numbers: compare them first/],
  ['k <= q + (k < 2)', 10, /\+ takes numbers, not conditions/],
  ['k <= q && !k', 11, /! turns a condition round/],
  ['not k', 4, /! turns a condition round/],
  ['k <= q && max(k < 2, 3) > 1', 14, /max takes numbers/],
  ['(k <= q) <= 3', 1, /<= takes numbers, not conditions/],
  ['(k <= q) * (q - k < 3)', 1, /\* takes numbers, not conditions \(write && between them\)/],
  ['(k <= q) + (q < 3)', 1, /\+ takes numbers, not conditions \(write \|\| between them\)/],
  ['k ? q < 3 : k < 3', 2, /the test of \?: must be a condition/],
  ['k <= q ? 3 : k < 3', 7, /two sides of \?: must both be numbers/],
  ['q - k', 0, /a mask must be a condition, such as k <= q/],
  ['k & 63 == q & 63', 0, /&& joins conditions, not numbers/],
  // Tables and functions.
  ['document == 3', 0, /document is a table: write document\(q\)/],
  ['document(q, k) == 3', 0, /document takes 1 argument, not 2 \(write document\(k\)\)/],
  ['document(cap) == 3', 0, /document is read at a whole number/],
  [
    'document[b, q] == document[b, k]',
    9,
    /tables know their batch entry and head \(write document\(q\)\)/,
  ],
  ['bias[h, q - k] < 1', 5, /\(write bias\(q - k\)\)/],
  ['documnt(q) == 3', 0, /unknown function: documnt \(write document\)/],
  ['window(3) < q', 0, /window is a number and cannot be called \(write window \* 3\)/],
  ['sin(q) < 1', 0, /unknown function: sin \(known: min/],
  ['ceil(q / 64) > k', 0, /unknown function: ceil \(write -floor\(-\(q \/ 64\)\)\)/],
  ['round(q) > k', 0, /\(write floor\(q \+ 0.5\)\)/],
  ['pow(q, 2) > k', 0, /\(write q \* q\)/],
  ['minimum(q, 2) > k', 0, /\(write min\(q, 2\)\)/],
  ['logical_and(k <= q, k < 3)', 0, /\(write \(k <= q\) && \(k < 3\)\)/],
  ['where(k <= q, k < 3)', 0, /where takes 3 arguments, not 2 \(write where\(test, yes, no\)\)/],
  ['k <= q && log() < 1', 10, /log takes 1 argument, not 0/],
  ['torch.abs(q - k) < 3', 0, /functions have no module: torch.abs \(write abs\)/],
  ['k < (q)(3)', 5, /q is a number and cannot be called \(write q \* 3\)/],
  ['k < (q + 1)(3)', 11, /only names can be called \(write \* between factors\)/],
  ['k <= q && k.x', 11, /names have no fields/],
  // Operators.
  ['k = q', 2, /unexpected = \(== compares\)/],
  ['k => q', 2, /unexpected => \(write >=\)/],
  ['k =< q', 2, /unexpected =< \(write <=\)/],
  ['k <> q', 2, /unexpected <> \(write !=\)/],
  ['q ** 2 > k', 2, /unknown operator: \*\* \(write q \* q\)/],
  ['2 ** h > k', 2, /\(write exp2\(h\)\)/],
  ['q << 2 > k', 2, /unknown operator: << \(write q \* 4\)/],
  ['q >> 6 == k >> 6', 2, /unknown operator: >> \(write floor\(q \/ 64\)\)/],
  ['q ^ 2 > k', 2, /unknown operator: \^ \(write q \* q/],
  ['k is q', 2, /unexpected is \(write ==\)/],
  ['k in 0..q', 2, /unexpected in \(write two comparisons/],
  ['k <=', 4, /expected expression after <=/],
  ['k <= && q', 5, /expected expression after <=/],
  ['&& k <= q', 0, /unexpected "&"/],
  ['k <= q && k < -', 15, /expected a value/],
  // Python and JavaScript.
  ['lambda b, h, q, k: k <= q', 0, /b, h, q and k are known already/],
  ['return k <= q', 0, /leave return out/],
  ['k < 3 if q > 3 else k < q', 6, /\(write q > 3 \? k < 3 : k < q\)/],
  ['(k < 3 if q > 3 else k < q)', 7, /unexpected if \(write test \? yes : no\)/],
  ['if (q > 3) k < q', 0, /unexpected if/],
  ['k <= q ? k < 3', 14, /expected : and what holds otherwise/],
  ['k <= q; k < 3', 6, /unexpected character: ; \(write one formula/],
  ['k < -float("inf")', 4, /there is no infinity here/],
  ['"k <= q"', 0, /unexpected character: "/],
  // Numbers.
  ['k < 0x40', 4, /unexpected number: 0x40 \(write 64\)/],
  ['k < 1_000', 4, /unexpected number: 1_000 \(write 1000\)/],
  ['k < 1,000', 5, /a comma stands between arguments only/],
  ['k < 2q', 4, /a number before a name \(write 2 \* q\)/],
  ['k < 1e400', 4, /invalid number: 1e400 \(expected at most 1e30\)/],
  ['k < 1.2.3', 7, /unexpected period/],
  ['k < 1e', 6, /expected exponent/],
  // Brackets.
  ['k <= q && (k', 10, /the bracket is not closed/],
  ['k <= q)', 6, /a bracket closes that none opened/],
  ['document[q) == 3', 10, /\[ is closed by \)/],
  ['k <= [q]', 5, /unexpected \[/],
  ['k <= ()', 5, /nothing in the brackets/],
  ['min(q k) < 3', 6, /expected a comma between arguments/],
  ['k < 3 k', 6, /two formulas in a row/],
  // Characters.
  ['k < q²', 5, /unexpected character: ² \(write x \* x\)/],
  ['k < 😀', 4, /unexpected character: 😀$/u],
  ['k @ 3', 2, /unexpected character: @/],
  // Lengths.
  ['', 0, /the formula is empty/],
  ['# nothing but words', 0, /the formula is empty/],
  ['k <= q'.padEnd(10_000, ' || k <= q'), 2000, /too long: 10000 characters/],
  [Array(60).fill('k<q').join('||'), 162, /too long: 239 parts \(expected at most 128\)/],
  [`${'('.repeat(70)}k<q${')'.repeat(70)}`, 64, /nested deeper than 64 levels/],
  [`${'!'.repeat(300)}(k<q)`, 192, /nested deeper/],
];

describe('a mistake', () => {
  it.each(
    MASKS.map(([text, column, message]) => [text.slice(0, 40), text, column, message] as const),
  )('%s', (_, text, column, message) => {
    const parsed = parseFormula(text, SCOPE_OF_MASKS, 'bool');
    expect(parsed.ok ? '' : parsed.message).toMatch(message);
    expect(parsed).toMatchObject({ ok: false, column });
  });
});

const { score: _, ...variables } = SCOPE.variables;
const SCOPE_OF_MASKS = { ...SCOPE, variables };

describe('habits of Python and of papers', () => {
  const same = (text: string, expected: string, type: 'bool' | 'float' = 'bool') => {
    const wanted = parseFormula(expected, SCOPE, type);
    expect(wanted.ok).toBe(true);
    expect(parseFormula(text, SCOPE, type)).toEqual(wanted);
  };
  it.each([
    ['0 <= q - k < window', '0 <= q - k && q - k < window'],
    ['0 <= (q - k) < window', '0 <= q - k && q - k < window'],
    ['0 < k < q < 9', '0 < k && k < q && q < 9'],
    ['h == b < k', 'h == b && b < k'],
    ['k <= q and q - k < window', 'k <= q && q - k < window'],
    ['k <= q or k < 4 and q > 3', 'k <= q || k < 4 && q > 3'],
    ['not k <= q', '!(k <= q)'],
    ['not k <= q and k < 3', '!(k <= q) && k < 3'],
    ['not not k + 1 < q', '!!(k + 1 < q)'],
    ['not (k <= q) and (not k < 3)', '!(k <= q) && !(k < 3)'],
    ['(k <= q) & (q - k < window)', 'k <= q && q - k < window'],
    ['(k <= q) | ~(q < 3)', 'k <= q || !(q < 3)'],
    ['q // 64 == k // 64', 'floor(q / 64) == floor(k / 64)'],
    ['document[q] == document[k]', 'document(q) == document(k)'],
    ['where(h < 2, k <= q, k < 4)', 'h < 2 ? k <= q : k < 4'],
    ['clamp(q, 3, 9) <= k', 'min(max(q, 3), 9) <= k'],
    ['k ≤ q ∧ q − k ≠ 3 ∨ k ≥ 2 × h', 'k <= q && q - k != 3 || k >= 2 * h'],
    ['¬(k ≤ q)', '!(k <= q)'],
    ['(k < 3) == (q < 3)', 'k < 3 ? q < 3 : !(q < 3)'],
    ['(k < 3) != (q < 3)', 'k < 3 ? !(q < 3) : q < 3'],
    ['k <= q # the past\n  && q - k < window # near', 'k <= q && q - k < window'],
  ])('%s is %s', same);

  it('leaves words to formulas that name them', () => {
    const scope = {
      variables: SCOPE.variables,
      numbers: { in: 'int', this: 'int' },
      tables: { where: 'int' },
    } as const;
    expect(parseFormula('k < in && where(k) == this', scope, 'bool').ok).toBe(true);
  });

  it('reads the scores of a gallery as they are written elsewhere', () => {
    same('where(q - k < 8, score, score - 1)', 'q - k < 8 ? score : score - 1', 'float');
    same('cap * tanh(score / cap)', 'cap * tanh(score / cap)', 'float');
  });
});

// A pattern that takes the cube of a text's length would not come back from these.
it.each([
  `k <= q ${' '.repeat(20_000)}+`,
  `x if${' '.repeat(20_000)}`,
  `bias[b,${' '.repeat(20_000)}`,
  `-${' '.repeat(20_000)}`,
])('looks for habits in a long text, %.9s', (text) => {
  expect(findHabit(text, () => false)?.message).toBe(
    text.includes('if') ? 'unexpected if (write test ? yes : no)' : undefined,
  );
});
