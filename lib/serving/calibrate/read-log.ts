import { type JsonObject, parseJsonLines } from '../fidelity/json-lines';
import type { Dropped } from './samples';

/** A log of requests as columns, sorted by arrival; seconds, arrivals from the first. */
export interface RequestLog {
  readonly arrivalSeconds: Float64Array;
  readonly promptTokens: Int32Array;
  readonly outputTokens: Int32Array;
  /** From arrival to the first and to the last token. */
  readonly ttftSeconds: Float64Array;
  readonly latencySeconds: Float64Array;
  readonly dropped: readonly Dropped[];
}

/** Names under which tools write each field; the unit is seconds unless the name says another. */
const FIELDS = {
  arrival: ['arrival_time', 'arrival_seconds', 'arrival_s', 'arrival', 'timestamp'],
  prompt: [
    'input_toks',
    'prompt_tokens',
    'num_prompt_tokens',
    'input_tokens',
    'prompt_len',
    'prompt',
  ],
  output: [
    'output_toks',
    'output_tokens',
    'completion_tokens',
    'num_generation_tokens',
    'output_len',
    'output',
  ],
  ttft: ['ttft', 'ttft_seconds', 'ttft_s', 'time_to_first_token', 'ttft_ms'],
  latency: [
    'latency',
    'latency_seconds',
    'latency_s',
    'e2e',
    'e2e_seconds',
    'e2e_latency',
    'latency_ms',
    'e2e_ms',
  ],
} as const;
type Field = keyof typeof FIELDS;
/** Stamps of the engine, in place of `ttft` and `latency`: LLMServingSim's bench writes these. */
const STAMPS = ['queued_ts', 'first_token_ts', 'last_token_ts'] as const;

/** Most requests that a fit replays again and again. */
const MAX_REQUESTS = 2000;
/** Fewer requests tell too little of five coefficients. */
export const LEAST_REQUESTS = 20;

interface Row {
  readonly arrival: number;
  readonly prompt: number;
  readonly output: number;
  readonly ttft: number;
  readonly latency: number;
}

/**
 * Reads JSON lines of requests: arrival, prompt, output, and either time to first token and latency
 * or the engine's stamps. Requests that did not end, or whose times contradict each other, are left
 * out and counted.
 *
 * @throws Error naming file and line, the fields that are missing, or the number of rows left
 */
export function readRequestLog(path: string, text: string): RequestLog {
  const lines = parseJsonLines(path, text);
  const first = lines[0]?.value ?? {};
  const nameOf = (field: Field): string | undefined =>
    FIELDS[field].find((name) => first[name] !== undefined);
  const names = Object.fromEntries(
    (Object.keys(FIELDS) as Field[]).map((field) => [field, nameOf(field)]),
  ) as Record<Field, string | undefined>;
  const hasStamps = STAMPS.every((name) => first[name] !== undefined);
  const missing = (Object.keys(FIELDS) as Field[]).filter(
    (field) =>
      names[field] === undefined && !(hasStamps && (field === 'ttft' || field === 'latency')),
  );
  if (missing.length > 0) {
    const wanted = missing.map((field) => `${field} (${FIELDS[field].join(', ')})`).join('; ');
    throw new Error(
      `${path}: line 1: missing ${wanted}; found ${Object.keys(first).join(', ') || 'no field'}`,
    );
  }
  const number = (value: JsonObject, name: string | undefined): number => {
    const found = name === undefined ? undefined : value[name];
    if (typeof found !== 'number' || !Number.isFinite(found)) return Number.NaN;
    return name?.endsWith('_ms') ? found / 1000 : found;
  };
  // Arrivals are epoch seconds and stamps monotonic ones: the least distance aligns them.
  const offset = hasStamps
    ? lines.reduce((least, { value }) => {
        const distance = number(value, 'queued_ts') - number(value, names.arrival);
        return distance < least ? distance : least;
      }, Infinity)
    : 0;
  const dropped = new Map<string, number>();
  const drop = (reason: string): void => {
    dropped.set(reason, (dropped.get(reason) ?? 0) + 1);
  };
  const rows: Row[] = [];
  for (const { value } of lines) {
    const arrival = number(value, names.arrival);
    const stamped = (name: string): number => number(value, name) - offset - arrival;
    const ttft = names.ttft === undefined ? stamped('first_token_ts') : number(value, names.ttft);
    const latency =
      names.latency === undefined ? stamped('last_token_ts') : number(value, names.latency);
    const prompt = number(value, names.prompt);
    const output = number(value, names.output);
    if (!Number.isFinite(arrival + ttft + latency + prompt + output)) drop('a field is no number');
    else if (!(prompt >= 1 && output >= 1)) drop('no prompt or no output token');
    else if (!(ttft > 0 && latency >= ttft)) drop('latency below the time to the first token');
    else
      rows.push({ arrival, prompt: Math.round(prompt), output: Math.round(output), ttft, latency });
  }
  rows.sort((a, b) => a.arrival - b.arrival);
  if (rows.length > MAX_REQUESTS) {
    dropped.set(`after the first ${MAX_REQUESTS} requests`, rows.length - MAX_REQUESTS);
    rows.length = MAX_REQUESTS;
  }
  if (rows.length < LEAST_REQUESTS) {
    const why = [...dropped].map(([reason, count]) => `${count} dropped: ${reason}`).join('; ');
    throw new Error(
      `${path}: ${rows.length} requests are too few to fit (expected at least ${LEAST_REQUESTS}${why === '' ? '' : `; ${why}`})`,
    );
  }
  const start = rows[0]?.arrival ?? 0;
  return {
    arrivalSeconds: Float64Array.from(rows, ({ arrival }) => arrival - start),
    promptTokens: Int32Array.from(rows, ({ prompt }) => prompt),
    outputTokens: Int32Array.from(rows, ({ output }) => output),
    ttftSeconds: Float64Array.from(rows, ({ ttft }) => ttft),
    latencySeconds: Float64Array.from(rows, ({ latency }) => latency),
    dropped: Array.from(dropped, ([reason, count]) => ({ reason, rows: count })),
  };
}
