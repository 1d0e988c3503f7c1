/** What is wrong with a text before it is parsed, and where; `column` counts UTF-16 units from 0. */
export interface TextProblem {
  readonly message: string;
  readonly column: number;
}

export const MAX_LENGTH = 2000;
const MAX_DEPTH = 64;

/** What people write for operators that formulas spell otherwise. */
const INSTEAD: Readonly<Record<string, string>> = {
  '≤': '<=',
  '≥': '>=',
  '≠': '!=',
  '−': '-',
  '–': '-',
  '×': '*',
  '·': '*',
  '÷': '/',
  '∧': '&&',
  '∨': '||',
  '¬': '!',
};
/** Operators of other languages, and what to write. */
const FOREIGN: Readonly<Record<string, string>> = {
  '&': '&& joins conditions',
  '|': '|| joins conditions',
  '**': 'write x * x, or exp2(y * log2(x))',
  '<<': 'multiply by exp2(n)',
  '>>': 'write floor(x / 2)',
  '//': 'write floor(x / y)',
};

export function unknownOperator(operator: string): string {
  const hint = Object.hasOwn(FOREIGN, operator) ? ` (${FOREIGN[operator]})` : '';
  return `unknown operator: ${operator}${hint}`;
}

/** The first thing that a recursive parser must not see or would tell badly, or undefined. */
export function findTextProblem(text: string): TextProblem | undefined {
  if (text.length > MAX_LENGTH) {
    return {
      message: `too long: ${text.length} characters (expected at most ${MAX_LENGTH})`,
      column: MAX_LENGTH,
    };
  }
  if (text.trim() === '') return { message: 'the formula is empty', column: 0 };
  const nested = deepestAt(text);
  if (nested !== undefined) {
    return { message: `nested deeper than ${MAX_DEPTH} levels`, column: nested };
  }
  return strangeAt(text) ?? bracketAt(text);
}

/** Column of a bracket or sign that is nested too deep, or undefined. */
function deepestAt(text: string): number | undefined {
  let depth = 0;
  let signs = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    if (c === '(' || c === '?') depth++;
    else if (c === ')') depth--;
    signs = '-+!'.includes(c) ? signs + 1 : c === ' ' ? signs : 0;
    if (depth > MAX_DEPTH || signs > MAX_DEPTH) return i;
  }
  return undefined;
}

function strangeAt(text: string): TextProblem | undefined {
  const strange = /[^\w\s+\-*/%<>=!&|?:(),.]/u.exec(text);
  if (strange !== null) {
    const [character] = strange;
    const instead = Object.hasOwn(INSTEAD, character) ? ` (write ${INSTEAD[character]})` : '';
    return { message: `unexpected character: ${character}${instead}`, column: strange.index };
  }
  const assigned = /(?<![<>=!])=(?!=)/.exec(text);
  if (assigned !== null) return { message: 'unexpected = (== compares)', column: assigned.index };
  const quotient = text.indexOf('//');
  return quotient < 0 ? undefined : { message: unknownOperator('//'), column: quotient };
}

function bracketAt(text: string): TextProblem | undefined {
  const open: number[] = [];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') open.push(i);
    else if (text[i] === ')' && open.pop() === undefined) {
      return { message: 'a bracket closes that none opened', column: i };
    }
  }
  const column = open.at(-1);
  if (column !== undefined) return { message: 'the bracket is not closed', column };
  const empty = /(?<!\w\s*)\(\s*\)/.exec(text);
  return empty === null ? undefined : { message: 'nothing in the brackets', column: empty.index };
}

/** Characters of a formula that are shown at once around the place that a message is about. */
const SHOWN = 72;

/** The text around [start, end) and a line of marks under it; `…` where text is left out. */
export function pointedLines(text: string, start: number, end: number): readonly [string, string] {
  const from = text.length <= SHOWN ? 0 : Math.max(0, Math.min(start, text.length) - SHOWN / 2);
  const past = Math.min(text.length, from + SHOWN);
  const before = from > 0 ? '…' : '';
  const after = past < text.length ? '…' : '';
  const shownStart = Math.min(start, past) - from;
  const marks = Math.max(1, Math.min(end, past) - Math.min(start, past));
  const indent = ' '.repeat(before.length + Math.max(0, shownStart));
  return [`${before}${text.slice(from, past)}${after}`, `${indent}${'^'.repeat(marks)}`];
}
