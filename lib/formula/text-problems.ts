import { findHabit } from './habits';

/** What is wrong with a text before it is parsed, and where; `column` counts UTF-16 units from 0. */
export interface TextProblem {
  readonly message: string;
  readonly column: number;
}

export const MAX_LENGTH = 2000;
const MAX_DEPTH = 64;

/** Signs that a formula may be written with, one character for one. */
const SIGNS: Readonly<Record<string, string>> = {
  '−': '-',
  '–': '-',
  '×': '*',
  '·': '*',
  '∗': '*',
  '÷': '/',
  '¬': '!',
};

/** The text as the parser takes it, column for column: signs in ASCII, comments and line ends as spaces. */
export const plainText = (text: string): string =>
  text
    .replace(/#[^\n\r]*/g, (comment) => ' '.repeat(comment.length))
    .replace(/[−–×·∗÷¬]/g, (sign) => SIGNS[sign] as string)
    .replace(/\s/g, ' ');

/** The first thing in a plain text that a recursive parser must not see or would tell badly, or undefined. */
export function findTextProblem(
  text: string,
  isName: (word: string) => boolean = () => false,
): TextProblem | undefined {
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
  return findHabit(text, isName) ?? strangeAt(text) ?? bracketAt(text);
}

/** Column of a bracket or sign that is nested too deep, or undefined. */
function deepestAt(text: string): number | undefined {
  let depth = 0;
  let signs = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    if (c === '(' || c === '[' || c === '?') depth++;
    else if (c === ')' || c === ']') depth--;
    // A letter may belong to a `not`.
    signs = '-+!~not'.includes(c) ? signs + 1 : c === ' ' ? signs : 0;
    if (depth > MAX_DEPTH || signs > 3 * MAX_DEPTH) return i;
  }
  return undefined;
}

/** Characters that stand for something else, as it is written here. */
const INSTEAD: Readonly<Record<string, string>> = {
  '²': 'x * x',
  '³': 'x * x * x',
  '√': 'sqrt(x)',
  '∞': 'a mask: what it hides is minus infinity',
  '⌊': 'floor(x)',
  '∈': 'two comparisons: low <= k && k < high',
  '{': '( and )',
  ';': 'one formula: no names can be set in it',
  '"': 'a number: there is no text in formulas',
  "'": 'a number: there is no text in formulas',
};

function strangeAt(text: string): TextProblem | undefined {
  const strange = /[^\w\s+\-*/%<>=!&|?:(),.[\]~^≤≥≠∧∨]/u.exec(text);
  if (strange === null) return undefined;
  const [character] = strange;
  const instead = Object.hasOwn(INSTEAD, character) ? ` (write ${INSTEAD[character]})` : '';
  return { message: `unexpected character: ${character}${instead}`, column: strange.index };
}

function bracketAt(text: string): TextProblem | undefined {
  const open: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    if (c === '(' || c === '[') open.push(i);
    else if (c === ')' || c === ']') {
      const opening = open.pop();
      if (opening === undefined) return { message: 'a bracket closes that none opened', column: i };
      if ((text[opening] === '(') !== (c === ')')) {
        return { message: `${text[opening]} is closed by ${c}`, column: i };
      }
    }
  }
  const column = open.at(-1);
  if (column !== undefined) return { message: 'the bracket is not closed', column };
  const empty = /(?<!\w\s*)\(\s*\)/.exec(text);
  return empty === null ? undefined : { message: 'nothing in the brackets', column: empty.index };
}
