import { fitNonNegative } from './least-squares';
import type { RequestLog } from './read-log';

/** Microseconds of an iteration: base, per prefill token, query-key pair, decode and decode context token. */
export type IterationCosts = readonly [number, number, number, number, number];

const PAIRS = 2;

/**
 * Sums of an iteration's features over the decode time of every request, without the engine's
 * schedule: a request of n tokens has seen n - 1 iterations between its first and its last token;
 * what the others did meanwhile is their share of time, tokens evenly spread, and a prompt counts
 * where its first token came.
 *
 * @returns per feature of `IterationCosts` one column over the requests of two tokens and more,
 * the seconds that they took, and the numbers of those requests
 */
export function inferredSteps(log: RequestLog) {
  const { arrivalSeconds, promptTokens, outputTokens, ttftSeconds, latencySeconds } = log;
  const count = arrivalSeconds.length;
  const at = (column: ArrayLike<number>, i: number): number => column[i] as number;
  const first = Float64Array.from(arrivalSeconds, (arrival, i) => arrival + at(ttftSeconds, i));
  const last = Float64Array.from(arrivalSeconds, (arrival, i) => arrival + at(latencySeconds, i));
  const columns: [number[], number[], number[], number[], number[]] = [[], [], [], [], []];
  const seconds: number[] = [];
  const requests: number[] = [];
  for (let r = 0; r < count; r++) {
    const [from, to] = [at(first, r), at(last, r)];
    if (at(outputTokens, r) < 2 || to <= from) continue;
    let [prompts, pairs, decodes, contexts] = [0, 0, 0, 0];
    for (let s = 0; s < count; s++) {
      const [begin, end] = [at(first, s), at(last, s)];
      const prompt = at(promptTokens, s);
      if (begin > from && begin <= to) {
        prompts += prompt;
        pairs += prompt ** 2 / 2;
      }
      const low = Math.max(begin, from);
      const high = Math.min(end, to);
      if (high <= low) continue;
      const rate = (at(outputTokens, s) - 1) / (end - begin);
      const tokens = rate * (high - low);
      decodes += tokens;
      contexts += tokens * (prompt + rate * ((low + high) / 2 - begin));
    }
    [at(outputTokens, r) - 1, prompts, pairs, decodes, contexts].forEach((value, feature) => {
      (columns[feature] as number[]).push(value);
    });
    seconds.push(to - from);
    requests.push(r);
  }
  return { columns, seconds, requests };
}

/**
 * First costs of an iteration, by least squares on the inferred steps of the requests that `isHeld`
 * leaves. Prompts and their pairs rise together, so that no cost of pairs can be told here: it is 0.
 */
export function inferredCosts(log: RequestLog, isHeld: Uint8Array): IterationCosts {
  const { columns, seconds, requests } = inferredSteps(log);
  const isSeen = (_: number, i: number): boolean => isHeld[requests[i] as number] === 0;
  const found = fitNonNegative(
    columns.filter((_, feature) => feature !== PAIRS).map((column) => column.filter(isSeen)),
    seconds.filter(isSeen).map((each) => each * 1e6),
  );
  const [base = 0, token = 0, decode = 0, context = 0] = found;
  return [base, token, 0, decode, context];
}
