import { createRandom } from '../../../lib/random/random';
import type { Workload } from '../../../lib/workload/types';

export interface SharedPrefixLoad {
  readonly sessions: number;
  readonly sessionsPerSecond: number;
  readonly seed: number;
}

/** Distinct system prompts, their tokens, and the mean turns of a session. */
const SYSTEM_PROMPTS = 8;
const SYSTEM_TOKENS = 256;
const MEAN_TURNS = 3;

/**
 * Chats of several turns with token ids, made up: each session begins with one of a few system
 * prompts, and each turn's prompt is everything said before plus a new question, so that prefixes
 * are shared between sessions and, answers included, between turns. Lengths are log-normal.
 */
export function sharedPrefixWorkload({
  sessions,
  sessionsPerSecond,
  seed,
}: SharedPrefixLoad): Workload {
  const random = createRandom(seed);
  const tokens = (median: number, sigma: number, most: number): number =>
    Math.max(1, Math.min(most, Math.round(median * Math.exp(sigma * random.normal()))));
  const rows: { arrival: number; prompt: number; output: number; ids: number[] }[] = [];
  let start = 0;
  for (let session = 0; session < sessions; session++) {
    start += random.exponential() / sessionsPerSecond;
    const system = Math.floor(random.uniform() * SYSTEM_PROMPTS);
    const said = Array.from({ length: SYSTEM_TOKENS }, (_, i) => system * 1000 + i);
    let arrival = start;
    do {
      const own = 1_000_000 + rows.length * 4096;
      const question = tokens(40, 1, 1024);
      const output = tokens(170, 0.8, 1024);
      for (let i = 0; i < question; i++) said.push(own + i);
      const prompt = said.length;
      for (let i = 0; i < output; i++) said.push(own + 2048 + i);
      rows.push({ arrival, prompt, output, ids: said.slice() });
      arrival += 30 + 30 * random.exponential();
    } while (random.uniform() > 1 / MEAN_TURNS && said.length < 6000);
  }
  rows.sort((a, b) => a.arrival - b.arrival);
  const offsets = new Int32Array(rows.length + 1);
  rows.forEach(({ ids }, i) => {
    offsets[i + 1] = (offsets[i] as number) + ids.length;
  });
  const ids = new Int32Array(offsets[rows.length] as number);
  rows.forEach((row, i) => {
    ids.set(row.ids, offsets[i] as number);
  });
  return {
    arrivalSeconds: Float64Array.from(rows, ({ arrival }) => arrival),
    promptTokens: Int32Array.from(rows, ({ prompt }) => prompt),
    outputTokens: Int32Array.from(rows, ({ output }) => output),
    content: { tokensPerId: 1, offsets, ids },
    label: `${rows.length} requests of ${sessions} made-up chats`,
    source: 'generated',
    seed,
    notes: [],
  };
}
