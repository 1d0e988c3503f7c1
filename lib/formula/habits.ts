import type { TextProblem } from './text-problems';

/**
 * What people write who come from FlexAttention, Python or another language, and what to write
 * instead, with their own words in it. Looked for in the plain text, since a parser would only say
 * that it is unexpected.
 */
interface Habit {
  readonly pattern: RegExp;
  readonly message: (match: RegExpExecArray) => string;
  /** Group at which the column is; the whole match without it. */
  readonly at?: number;
  /** A word that may also be a name of the formula's own. */
  readonly isWord?: true;
}

const HABITS: readonly Habit[] = [
  {
    pattern: /\b(?:lambda|def)\b[^:]*:?/d,
    message: () => 'b, h, q and k are known already (write the expression alone)',
    isWord: true,
  },
  {
    pattern: /\breturn\b/d,
    message: () => 'a formula is its own result (leave return out)',
    isWord: true,
  },
  {
    pattern:
      /(?:[-+]\s*)?(?:float\s*\(\s*["'][^"']*["']\s*\)|\b(?:math|torch|np|jnp|numpy)\.inf\b)/d,
    message: () => 'there is no infinity here (write what is hidden into the mask)',
  },
  {
    pattern: /\b(?:torch|math|np|jnp|numpy|tl|jax\.numpy|Math)\s*\.\s*(\w+)/d,
    message: ([all, name]) => `functions have no module: ${all} (write ${name})`,
  },
  {
    pattern: /^(.+?)\b(if)\b(.+?)\belse\b(.+)$/d,
    message: ([, yes = '', , test = '', no = '']) =>
      [yes, test, no].every(isBalanced)
        ? `unexpected if (write ${test.trim()} ? ${yes.trim()} : ${no.trim()})`
        : 'unexpected if (write test ? yes : no)',
    at: 2,
    isWord: true,
  },
  {
    pattern: /\b(?:if|elif|else|then)\b/d,
    message: ([word]) => `unexpected ${word} (write test ? yes : no)`,
    isWord: true,
  },
  {
    pattern: /\b([A-Za-z]\w*)\s*\[\s*([bh]|batch|head|b_idx|h_idx)\s*,([^,[\]]+)\]/d,
    message: ([, name, , index]) =>
      `tables know their batch entry and head (write ${name}(${index?.trim()}))`,
    at: 2,
  },
  { pattern: /=>/d, message: () => 'unexpected => (write >=)' },
  { pattern: /=</d, message: () => 'unexpected =< (write <=)' },
  { pattern: /<>/d, message: () => 'unexpected <> (write !=)' },
  { pattern: /:=/d, message: () => 'unexpected := (== compares, and no names can be set)' },
  { pattern: /(?<![<>=!])=(?!=)/d, message: () => 'unexpected = (== compares)' },
  {
    pattern: /\b0[xXbBoO][\da-fA-F]+\b/d,
    message: ([number]) => `unexpected number: ${number} (write ${Number(number)})`,
  },
  {
    pattern: /\b\d+(?:_\d+)+\b/d,
    message: ([number]) => `unexpected number: ${number} (write ${number.replaceAll('_', '')})`,
  },
  {
    pattern: /(?<![\w.])(\d+\.?\d*)([A-DF-Za-df-z_]\w*)/d,
    message: ([, number, name]) => `a number before a name (write ${number} * ${name})`,
  },
  {
    pattern: /\bin\b/d,
    message: () => 'unexpected in (write two comparisons: low <= k && k < high)',
    isWord: true,
  },
  { pattern: /\bis\b/d, message: () => 'unexpected is (write ==)', isWord: true },
  { pattern: /(?<!\w)\.\.+/d, message: () => 'there are no ranges (write low <= k && k < high)' },
];

function isBalanced(text: string): boolean {
  let depth = 0;
  for (const c of text) {
    if (c === '(') depth++;
    else if (c === ')' && --depth < 0) return false;
  }
  return depth === 0;
}

/**
 * The habit that stands first in the text, with what to write instead, or undefined.
 *
 * @param isName whether a word is a name of the formula's own, which may be any word
 */
export function findHabit(
  text: string,
  isName: (word: string) => boolean,
): TextProblem | undefined {
  let first: TextProblem | undefined;
  for (const { pattern, message, at = 0, isWord } of HABITS) {
    const match = pattern.exec(text);
    const column = match?.indices?.[at]?.[0];
    if (match === null || column === undefined) continue;
    const word = /\w+/.exec(match[at] ?? '')?.[0];
    if (isWord && word !== undefined && isName(word)) continue;
    if (first === undefined || column < first.column) first = { message: message(match), column };
  }
  return first;
}
