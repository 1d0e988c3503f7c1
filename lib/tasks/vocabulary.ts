/**
 * The word-level vocabulary of the models in `public/models`. Token ids are positions in `WORDS`;
 * adding a word at the end is compatible with trained weights, anything else is not.
 */

const SPECIAL = ['<pad>', '<bos>', '<eos>'] as const;
const MARKS = ['.', ';', ':', '?', '|', ','] as const;
const KEYWORDS = ['passkey', 'common', 'copy', 'now', 'same'] as const;

const NAMES = [
  ...['paris', 'oslo', 'rome', 'cairo', 'lima', 'tokyo', 'delhi', 'quito'],
  ...['dublin', 'vienna', 'athens', 'lisbon', 'madrid', 'berlin', 'prague', 'warsaw'],
  ...['london', 'geneva', 'zurich', 'milan', 'naples', 'turin', 'venice', 'seville'],
  ...['boston', 'denver', 'dallas', 'austin', 'seattle', 'chicago', 'miami', 'houston'],
  ...['havana', 'bogota', 'santiago', 'caracas', 'brasilia', 'montreal', 'toronto', 'ottawa'],
  ...['nairobi', 'lagos', 'accra', 'dakar', 'tunis', 'rabat', 'kampala', 'harare'],
  ...['mumbai', 'lahore', 'dhaka', 'hanoi', 'manila', 'jakarta', 'seoul', 'osaka'],
  ...['sydney', 'perth', 'hobart', 'darwin', 'auckland', 'suva', 'honolulu', 'reykjavik'],
] as const;

/** Word classes of the filler language, in the order of the class index. */
const FILLER_CLASSES = [
  ['the', 'a', 'this', 'that', 'every', 'some', 'one', 'each'],
  ['old', 'small', 'green', 'quiet', 'bright', 'cold', 'long', 'early'],
  ['river', 'house', 'road', 'tree', 'letter', 'window', 'garden', 'market'],
  ['holds', 'meets', 'follows', 'shows', 'keeps', 'finds', 'leaves', 'passes'],
  ['near', 'under', 'over', 'behind', 'along', 'beside', 'beyond', 'across'],
  ['slowly', 'often', 'again', 'today', 'there', 'gladly', 'still', 'soon'],
  ['and', 'but', 'while', 'so', 'then', 'because', 'until', 'or'],
  ['he', 'she', 'it', 'we', 'they', 'you', 'someone', 'everyone'],
] as const;

const NUMBERS = Array.from({ length: 100 }, (_, n) => String(n).padStart(2, '0'));

/** Every word, by token id. */
export const WORDS: readonly string[] = [
  ...SPECIAL,
  ...MARKS,
  ...KEYWORDS,
  ...NAMES,
  ...NUMBERS,
  ...FILLER_CLASSES.flat(),
];

const idOfWord: ReadonlyMap<string, number> = new Map(WORDS.map((word, id) => [word, id]));

/** Token id of a word. @throws RangeError for a word outside the vocabulary */
export function tokenOf(word: string): number {
  const id = idOfWord.get(word);
  if (id === undefined) throw new RangeError(`unknown word: ${JSON.stringify(word)}`);
  return id;
}

/** Word of a token id. @throws RangeError for an id outside the vocabulary */
export function wordOf(token: number): string {
  const word = WORDS[token];
  if (word === undefined) {
    throw new RangeError(`invalid token: ${token} (expected 0..${WORDS.length - 1})`);
  }
  return word;
}

/** Words separated by blanks. */
export function toText(tokens: ArrayLike<number>): string {
  return Array.from(tokens, wordOf).join(' ');
}

/** Reads words separated by white space. @throws RangeError naming the first unknown word */
export function toTokens(text: string): number[] {
  return text
    .split(/\s+/)
    .filter((word) => word !== '')
    .map(tokenOf);
}

function range(first: string, count: number): readonly number[] {
  const start = tokenOf(first);
  return Array.from({ length: count }, (_, i) => start + i);
}

export const PAD = tokenOf('<pad>');
export const BOS = tokenOf('<bos>');
export const EOS = tokenOf('<eos>');
export const STOP = tokenOf('.');
export const END = tokenOf(';');
export const IS = tokenOf(':');
export const ASK = tokenOf('?');
export const BAR = tokenOf('|');

/** Keys of statements and aliases. */
export const NAME_TOKENS = range(NAMES[0], NAMES.length);
/** Values of statements: two-digit numbers. */
export const NUMBER_TOKENS = range('00', 100);
/** Filler words by class, then by word. */
export const FILLER_TOKENS: readonly (readonly number[])[] = FILLER_CLASSES.map((words) =>
  range(words[0], words.length),
);
export const ALL_FILLER_TOKENS: readonly number[] = FILLER_TOKENS.flat();
