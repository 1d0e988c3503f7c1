import { createRandom, type Random } from '../random/random';
import { FILLER_TOKENS, STOP } from './vocabulary';

/** Class indices of the vocabulary's filler classes. */
const CLASS = {
  det: 0,
  adj: 1,
  noun: 2,
  verb: 3,
  prep: 4,
  adv: 5,
  conj: 6,
  pro: 7,
  stop: 8,
} as const;

/** Which classes may follow a class, most likely first. The stop ends a sentence. */
const FOLLOWS: readonly (readonly number[])[] = [
  [CLASS.adj, CLASS.noun],
  [CLASS.noun],
  [CLASS.verb, CLASS.stop, CLASS.prep, CLASS.verb],
  [CLASS.det, CLASS.prep, CLASS.stop, CLASS.adv],
  [CLASS.det],
  [CLASS.stop, CLASS.conj],
  [CLASS.pro, CLASS.det],
  [CLASS.verb, CLASS.verb, CLASS.adv],
  [CLASS.det, CLASS.pro, CLASS.det],
];

/** Probabilities of the successors of a word, most likely first. */
export const SUCCESSOR_PROBABILITIES = [0.5, 0.25, 0.15, 0.1] as const;

/** The language the shipped models were trained on. */
const LANGUAGE_SEED = 20_261;

const classOfToken: ReadonlyMap<number, number> = new Map([
  ...FILLER_TOKENS.flatMap((tokens, index) => tokens.map((token) => [token, index] as const)),
  [STOP, CLASS.stop] as const,
]);

/** Successors of every (class of the word before, word); the words of one context are distinct. */
const successors: ReadonlyMap<number, readonly number[]> = (() => {
  const random = createRandom(LANGUAGE_SEED);
  const table = new Map<number, readonly number[]>();
  for (let before = 0; before <= CLASS.stop; before++) {
    for (const [token, index] of classOfToken) {
      const classes = FOLLOWS[index] as readonly number[];
      const chosen: number[] = [];
      for (let rank = 0; rank < SUCCESSOR_PROBABILITIES.length; rank++) {
        const next = classes[rank % classes.length] as number;
        let word: number;
        do {
          word =
            next === CLASS.stop
              ? STOP
              : ((FILLER_TOKENS[next] as readonly number[])[random.integer(0, 7)] as number);
          if (next === CLASS.stop && chosen.includes(STOP)) {
            word = (FILLER_TOKENS[CLASS.conj] as readonly number[])[random.integer(0, 7)] as number;
          }
        } while (chosen.includes(word));
        chosen.push(word);
      }
      table.set(before * 4096 + token, chosen);
    }
  }
  return table;
})();

/**
 * The words that may follow `word` when the word before it was `before`: an order-2 Markov language
 * (order 2 through the class of `before`) with known probabilities `SUCCESSOR_PROBABILITIES`.
 * Tokens outside the language count as a sentence end.
 */
export function successorsOf(before: number, word: number): readonly number[] {
  const beforeClass = classOfToken.get(before) ?? CLASS.stop;
  const known = classOfToken.has(word) ? word : STOP;
  return successors.get(beforeClass * 4096 + known) as readonly number[];
}

/** Entropy of one filler word given its context, in nats. */
export const FILLER_ENTROPY_NATS = -SUCCESSOR_PROBABILITIES.reduce(
  (sum, p) => sum + p * Math.log(p),
  0,
);

function pick(random: Random): number {
  let rest = random.uniform();
  for (let rank = 0; rank < SUCCESSOR_PROBABILITIES.length; rank++) {
    rest -= SUCCESSOR_PROBABILITIES[rank] as number;
    if (rest < 0) return rank;
  }
  return SUCCESSOR_PROBABILITIES.length - 1;
}

/** `count` tokens of the filler language, sentences ended by full stops. */
export function fillerTokens(count: number, random: Random): number[] {
  const tokens: number[] = [];
  let before = STOP;
  let word = STOP;
  while (tokens.length < count) {
    const next = successorsOf(before, word)[pick(random)] as number;
    tokens.push(next);
    before = word;
    word = next;
  }
  return tokens;
}
