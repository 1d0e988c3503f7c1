import { MAX_REQUESTS, type WorkloadParams, type WorkloadSource } from '../spec/kinds/workload';
import type { WorkloadParser } from './csv';
import type { PromptContent, Workload } from './types';

type JsonLinesSource = Extract<WorkloadSource, { type: 'json-lines' }>;

/** A line of this length holds two million token ids; it would otherwise be buffered whole. */
const MAX_LINE_CHARACTERS = 2 ** 24;
/** Ids of one workload: 1 GiB of them. */
const MAX_IDS = 2 ** 28;

interface Row {
  readonly seconds: number;
  readonly prompt: number;
  readonly output: number;
  readonly priority: number;
  readonly ids: readonly number[] | undefined;
}

/** The names that a trace uses for its columns. */
interface Dialect {
  readonly arrival: string;
  readonly perSecond: number;
  readonly prompt: string;
  readonly output: string;
  readonly ids: readonly string[];
  readonly tokensPerId: (source: JsonLinesSource) => number;
}

const DIALECTS: readonly Dialect[] = [
  {
    arrival: 'arrival_time_ns',
    perSecond: 1e9,
    prompt: 'input_toks',
    output: 'output_toks',
    ids: ['input_tok_ids', 'output_tok_ids'],
    tokensPerId: () => 1,
  },
  {
    arrival: 'timestamp',
    perSecond: 1e3,
    prompt: 'input_length',
    output: 'output_length',
    ids: ['hash_ids'],
    tokensPerId: ({ tokensPerHash }) => tokensPerHash,
  },
];

/**
 * Reads requests from one JSON object a line, in pieces of any size: LLMServingSim's fields with
 * token ids, or Mooncake's with hashes of token blocks. The first line says which. A malformed line
 * is an error that names it; a request above `maxTokensPerRequest` is left out and counted; lines
 * out of time order are sorted, and the notes say how many there were.
 */
export function createJsonLinesParser(
  params: WorkloadParams,
  source: JsonLinesSource,
): WorkloadParser {
  const limit = Math.min(params.maxRequests, MAX_REQUESTS);
  const rows: Row[] = [];
  let dialect: Dialect | undefined;
  let idCount = 0;
  let tooLarge = 0;
  let line = 0;
  let rest = '';

  function fail(what: string): never {
    throw new Error(`line ${line}: ${what}`);
  }

  function parse(text: string): Readonly<Record<string, unknown>> {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return fail('expected a JSON object');
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return fail('expected a JSON object');
    return value as Readonly<Record<string, unknown>>;
  }

  function readIds(value: Readonly<Record<string, unknown>>, names: readonly string[]) {
    const lists = names.flatMap((name) => {
      const list = value[name];
      if (list === undefined) return [];
      if (!Array.isArray(list) || !list.every((id) => Number.isInteger(id)))
        return fail(`invalid ${name} (expected a list of integers)`);
      return [list as readonly number[]];
    });
    return lists.length === 0 ? undefined : lists.flat();
  }

  function rowOf(text: string): Row | undefined {
    line++;
    if (text.trim() === '') return undefined;
    const value = parse(text);
    dialect ??= DIALECTS.find(({ prompt }) => value[prompt] !== undefined);
    if (dialect === undefined) {
      const known = DIALECTS.map(({ prompt }) => `"${prompt}"`).join(' or ');
      return fail(`missing ${known} (found ${Object.keys(value).join(', ')})`);
    }
    const count = (name: string): number => {
      const found = value[name];
      if (typeof found === 'number' && Number.isInteger(found) && found >= 1 && found < 2 ** 31)
        return found;
      return fail(`invalid ${name}: ${JSON.stringify(found)} (expected an integer from 1)`);
    };
    const arrival = value[dialect.arrival];
    if (typeof arrival !== 'number' || !(arrival >= 0)) {
      return fail(
        `invalid ${dialect.arrival}: ${JSON.stringify(arrival)} (expected a number from 0)`,
      );
    }
    const priority = value.priority ?? 0;
    if (!Number.isInteger(priority) || Math.abs(priority as number) >= 2 ** 31)
      return fail(`invalid priority: ${JSON.stringify(priority)} (expected an integer)`);
    const prompt = count(dialect.prompt);
    const output = count(dialect.output);
    if (prompt + output > params.maxTokensPerRequest) {
      tooLarge++;
      return undefined;
    }
    const ids = readIds(value, dialect.ids);
    idCount += ids?.length ?? 0;
    if (idCount > MAX_IDS) return fail(`more than ${MAX_IDS} token ids`);
    return {
      seconds: arrival / dialect.perSecond,
      prompt,
      output,
      priority: priority as number,
      ids,
    };
  }

  function readLine(text: string): void {
    const row = rowOf(text);
    if (row !== undefined) rows.push(row);
  }

  function toWorkload(): Workload {
    let unsorted = 0;
    for (let i = 1; i < rows.length; i++)
      if ((rows[i] as Row).seconds < (rows[i - 1] as Row).seconds) unsorted++;
    if (unsorted > 0) rows.sort((a, b) => a.seconds - b.seconds);
    const first = rows[0]?.seconds ?? 0;
    const without = rows.filter(({ ids }) => ids === undefined).length;
    const notes = [
      ...(unsorted > 0
        ? [`${unsorted} lines were earlier than the line before them; all were sorted by time`]
        : []),
      ...(tooLarge > 0
        ? [
            `${tooLarge} lines above maxTokensPerRequest ${params.maxTokensPerRequest} were left out`,
          ]
        : []),
      ...(without > 0 ? [`${without} lines have no token ids: they share no prefix`] : []),
      ...(rows.length >= limit ? [`reading stopped at ${limit} requests`] : []),
    ];
    const name = source.fileName === '' ? 'the bound file' : source.fileName;
    return {
      arrivalSeconds: Float64Array.from(
        rows,
        ({ seconds }) => (seconds - first) / params.rateScale,
      ),
      promptTokens: Int32Array.from(rows, ({ prompt }) => prompt),
      outputTokens: Int32Array.from(rows, ({ output }) => output),
      ...(without < rows.length ? { content: packContent(dialect as Dialect) } : {}),
      ...(rows.some(({ priority }) => priority !== 0)
        ? { priority: Int32Array.from(rows, ({ priority }) => priority) }
        : {}),
      label: `${rows.length} requests from ${name}`,
      source: name,
      seed: params.seed,
      notes,
    };
  }

  function packContent({ tokensPerId }: Dialect): PromptContent {
    const offsets = new Int32Array(rows.length + 1);
    const ids = new Int32Array(idCount);
    let at = 0;
    rows.forEach((row, i) => {
      ids.set(row.ids ?? [], at);
      at += row.ids?.length ?? 0;
      offsets[i + 1] = at;
    });
    return { tokensPerId: tokensPerId(source), offsets, ids };
  }

  return {
    push(text) {
      if (rows.length >= limit) return;
      const pieces = (rest + text).split('\n');
      rest = pieces.pop() ?? '';
      for (const piece of pieces) if (rows.length < limit) readLine(piece);
      if (rest.length > MAX_LINE_CHARACTERS) {
        throw new Error(`line ${line + 1}: longer than ${MAX_LINE_CHARACTERS} characters`);
      }
    },
    get isFull() {
      return rows.length >= limit;
    },
    finish() {
      if (rest.trim() !== '' && rows.length < limit) readLine(rest);
      if (rows.length === 0) {
        throw new Error(
          tooLarge > 0
            ? `no request left: all ${tooLarge} lines are above maxTokensPerRequest ${params.maxTokensPerRequest}`
            : 'the file is empty',
        );
      }
      return toWorkload();
    },
  };
}
