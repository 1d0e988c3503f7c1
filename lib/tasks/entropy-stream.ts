import type { Random } from '../random/random';
import { SUCCESSOR_PROBABILITIES, successorsOf } from './filler';
import { BOS, STOP } from './vocabulary';

/** Share of tokens that repeat an earlier one instead of following the grammar. */
const COPY_SHARE = 0.25;
/** Farthest token that is copied. */
const COPY_REACH_TOKENS = 256;

export interface EntropyStream {
  readonly tokens: readonly number[];
  /** -log p of each token after the first, under the law it was drawn from, in nats. */
  readonly surprisalNats: Float64Array;
}

/**
 * A stream whose conditional distribution is known exactly: with probability 0.75 the filler
 * language, with 0.25 the token d places back, d drawn with p proportional to 1/d up to 256. What a
 * model loses above the mean surprisal is absolute.
 */
export function entropyStream(count: number, random: Random): EntropyStream {
  const tokens = [BOS, STOP];
  const surprisalNats = new Float64Array(count);
  const harmonic = new Float64Array(COPY_REACH_TOKENS + 1);
  for (let d = 1; d <= COPY_REACH_TOKENS; d++) harmonic[d] = (harmonic[d - 1] as number) + 1 / d;
  for (let t = 2; t < count; t++) {
    const reach = Math.min(COPY_REACH_TOKENS, t - 1);
    const norm = harmonic[reach] as number;
    const next = successorsOf(tokens[t - 2] as number, tokens[t - 1] as number);
    let token: number;
    if (random.uniform() < COPY_SHARE) {
      const mark = random.uniform() * norm;
      let d = 1;
      while (d < reach && (harmonic[d] as number) <= mark) d++;
      token = tokens[t - d] as number;
    } else {
      let rest = random.uniform();
      let rank = 0;
      while (rank < next.length - 1 && rest >= (SUCCESSOR_PROBABILITIES[rank] as number)) {
        rest -= SUCCESSOR_PROBABILITIES[rank++] as number;
      }
      token = next[rank] as number;
    }
    let copied = 0;
    for (let d = 1; d <= reach; d++) if (tokens[t - d] === token) copied += 1 / d;
    const rank = next.indexOf(token);
    const p =
      (COPY_SHARE * copied) / norm +
      (1 - COPY_SHARE) * (rank < 0 ? 0 : (SUCCESSOR_PROBABILITIES[rank] as number));
    surprisalNats[t] = -Math.log(p);
    tokens.push(token);
  }
  return { tokens: tokens.slice(0, count), surprisalNats };
}
