import type { PromptContent, Workload } from '../../workload/types';
import { countField, type JsonObject, numberField, parseJsonLines } from './json-lines';

/** A measured run of vLLM, request by request; seconds from the first arrival. */
export interface MeasuredRun {
  readonly folder: string;
  readonly meta: JsonObject;
  readonly arrivalSeconds: Float64Array;
  readonly promptTokens: Int32Array;
  readonly outputTokens: Int32Array;
  readonly firstTokenSeconds: Float64Array;
  readonly lastTokenSeconds: Float64Array;
  readonly content: PromptContent | undefined;
}

/** A text and the path that messages name it by. */
export interface NamedText {
  readonly path: string;
  readonly text: string;
}

/** One request of a run's log, as it stands there. */
export interface RunRow {
  /** Where its tokens stand in a file of tokens. */
  readonly index: number;
  readonly line: number;
  readonly arrival: number;
  readonly queued: number;
  readonly first: number;
  readonly last: number;
  readonly prompt: number;
  readonly output: number;
}

/** Reads `requests.jsonl`. @throws Error naming file, line and field */
export function parseRunRows({ path, text }: NamedText): readonly RunRow[] {
  const lines = parseJsonLines(path, text);
  const numbers = lines.map(({ value }) => numberOf(value.request_id));
  // Requests may be written as they complete; their numbers say where their tokens stand.
  const isNumbered =
    new Set(numbers).size === lines.length &&
    Math.min(...numbers) >= 0 &&
    Math.max(...numbers) < lines.length;
  const rows = lines.map(({ line, value }, place) => ({
    index: isNumbered ? (numbers[place] as number) : place,
    line,
    arrival: numberField(path, line, value, 'arrival_time'),
    queued: numberField(path, line, value, 'queued_ts'),
    first: numberField(path, line, value, 'first_token_ts'),
    last: numberField(path, line, value, 'last_token_ts'),
    prompt: countField(path, line, value, 'input_toks'),
    output: countField(path, line, value, 'output_toks'),
  }));
  for (const row of rows) {
    if (row.first < row.queued || row.last < row.first) {
      throw new Error(
        `${path}: line ${row.line}: invalid ${row.first < row.queued ? 'first_token_ts' : 'last_token_ts'}: earlier than the stamp before it`,
      );
    }
  }
  return rows;
}

/**
 * A run from its metadata and rows. Arrivals are epoch seconds and the engine's stamps are monotonic
 * seconds: the least distance between arrival and queueing aligns them, so that waiting before the
 * queue counts. Rows are sorted by arrival.
 *
 * @param tokens JSON lines of the same requests in the order of their numbers, with `input_tok_ids` and perhaps `output_tok_ids`
 * @throws Error naming file, line and field
 */
export function measuredRun(
  folder: string,
  meta: JsonObject,
  unsorted: readonly RunRow[],
  tokens: NamedText | undefined,
): MeasuredRun {
  const ids = tokens === undefined ? undefined : parseTokenIds(tokens, unsorted);
  const rows = [...unsorted].sort((a, b) => a.arrival - b.arrival || a.index - b.index);
  const start = rows[0]?.arrival ?? 0;
  const offset = rows.reduce((least, row) => Math.min(least, row.queued - row.arrival), Infinity);
  return {
    folder,
    meta,
    arrivalSeconds: Float64Array.from(rows, (row) => row.arrival - start),
    promptTokens: Int32Array.from(rows, (row) => row.prompt),
    outputTokens: Int32Array.from(rows, (row) => row.output),
    firstTokenSeconds: Float64Array.from(rows, (row) => row.first - offset - start),
    lastTokenSeconds: Float64Array.from(rows, (row) => row.last - offset - start),
    content:
      ids === undefined
        ? undefined
        : packTokenIds(rows.map((row) => ids[row.index] as readonly number[])),
  };
}

/** What came in, without how it went. */
export function workloadOfRun(run: MeasuredRun): Workload {
  return {
    arrivalSeconds: run.arrivalSeconds,
    promptTokens: run.promptTokens,
    outputTokens: run.outputTokens,
    content: run.content,
    label: `${run.arrivalSeconds.length} requests of a measured run`,
    source: run.folder,
    seed: 0,
    notes: [],
  };
}

/** The number that an id such as `bench-12` ends with, or -1. */
function numberOf(id: unknown): number {
  const match = typeof id === 'string' ? /(\d+)$/.exec(id) : null;
  return match === null ? -1 : Number(match[1]);
}

function parseTokenIds(
  { path, text }: NamedText,
  requests: readonly RunRow[],
): (readonly number[])[] {
  const rows = [...requests].sort((a, b) => a.index - b.index);
  const lines = parseJsonLines(path, text);
  if (lines.length < rows.length) {
    throw new Error(`${path}: ${lines.length} lines (the run has ${rows.length} requests)`);
  }
  return rows.map(({ prompt }, i) => {
    const { line, value } = lines[i] as (typeof lines)[number];
    const input = idList(path, line, value, 'input_tok_ids');
    if (input.length !== prompt) {
      throw new Error(
        `${path}: line ${line}: invalid input_tok_ids: ${input.length} ids (request ${i + 1} of the run has ${prompt} prompt tokens)`,
      );
    }
    const output =
      value.output_tok_ids === undefined ? [] : idList(path, line, value, 'output_tok_ids');
    return [...input, ...output];
  });
}

function idList(path: string, line: number, value: JsonObject, field: string): readonly number[] {
  const found = value[field];
  if (!Array.isArray(found) || !found.every((id) => Number.isInteger(id))) {
    throw new Error(`${path}: line ${line}: invalid ${field} (expected a list of integers)`);
  }
  return found as number[];
}

/** Token ids of requests, one column. */
export function packTokenIds(requests: readonly (readonly number[])[]): PromptContent {
  const offsets = new Int32Array(requests.length + 1);
  requests.forEach((ids, i) => {
    offsets[i + 1] = (offsets[i] as number) + ids.length;
  });
  return { tokensPerId: 1, offsets, ids: Int32Array.from(requests.flat()) };
}
