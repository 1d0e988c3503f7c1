import Papa from 'papaparse';
import { MAX_REQUESTS, type WorkloadParams, type WorkloadSource } from '../spec/kinds/workload';
import { delimiterOf } from './delimiter';
import { guessUnit, parseArrival } from './timestamps';
import type { Workload } from './types';

type CsvSource = Extract<WorkloadSource, { type: 'csv' | 'azure-csv' }>;

/** Which columns of a CSV file are read, and how. */
export interface CsvLayout {
  readonly fileName: string;
  readonly arrival: string;
  readonly prompt: string;
  readonly output: string;
  readonly unit: Extract<WorkloadSource, { type: 'csv' }>['arrivalUnit'];
  /** The first row may tell another unit: a timestamp, or numbers as large as an epoch. */
  readonly isUnitGuessed?: boolean;
  /** Between fields; told by the header if absent. */
  readonly delimiter?: string;
  /** Further columns that `leftOut` looks at. */
  readonly others?: readonly string[];
  /** Why a row is left out and counted, by the text of its columns; undefined keeps it. */
  readonly leftOut?: (textOf: (column: string) => string) => string | undefined;
  /** What the file was taken for. */
  readonly found?: string;
}

/** The columns of the Azure 2023 and 2024 traces. */
export const AZURE_COLUMNS = {
  arrival: 'TIMESTAMP',
  prompt: 'ContextTokens',
  output: 'GeneratedTokens',
  unit: 'timestamp',
} as const satisfies Partial<CsvLayout>;

function layoutOf(source: CsvSource): CsvLayout {
  const { fileName } = source;
  if (source.type === 'azure-csv') return { fileName, ...AZURE_COLUMNS };
  return {
    fileName,
    arrival: source.arrivalColumn,
    prompt: source.promptColumn,
    output: source.outputColumn,
    unit: source.arrivalUnit,
  };
}

/** A line this long is no CSV row; it would otherwise be buffered whole. */
const MAX_LINE_CHARACTERS = 65_536;

/** Push text as it arrives, then finish. */
export interface WorkloadParser {
  /** @throws Error naming the line and the value */
  push(text: string): void;
  /** No further row will be kept: the reader may stop. */
  readonly isFull: boolean;
  finish(): Workload;
}

/**
 * Reads requests from CSV text with a header, in pieces of any size. A malformed row is an error
 * that names its line; a row above `maxTokensPerRequest` is left out and counted; rows out of time
 * order are sorted, and the notes say how many there were.
 */
export function createCsvWorkloadParser(params: WorkloadParams, source: CsvSource): WorkloadParser {
  return createCsvParser(params, layoutOf(source));
}

/** The same for any layout; rows that the layout leaves out are counted by their reason. */
export function createCsvParser(params: WorkloadParams, columns: CsvLayout): WorkloadParser {
  const wanted = [columns.arrival, columns.prompt, columns.output, ...(columns.others ?? [])];
  const leftOut = new Map<string, number>();
  const limit = Math.min(params.maxRequests, MAX_REQUESTS);
  let capacity = 4096;
  let seconds = new Float64Array(capacity);
  let prompts = new Int32Array(capacity);
  let outputs = new Int32Array(capacity);
  let count = 0;
  let tooLarge = 0;
  let line = 0;
  let rest = '';
  let { delimiter, unit } = columns;
  let header:
    | {
        readonly arrival: number;
        readonly prompt: number;
        readonly output: number;
        readonly width: number;
        readonly names: readonly string[];
      }
    | undefined;
  let firstWhole: number | undefined;

  function readHeader(names: string[]): void {
    const trimmed = names.map((name, i) => (i === 0 ? name.replace(/^\uFEFF/, '') : name).trim());
    const missing = wanted.filter((name) => !trimmed.includes(name));
    if (missing.length > 0) {
      throw new Error(
        `line 1: missing column ${missing.map((name) => `"${name}"`).join(', ')} (found ${trimmed.map((name) => `"${name}"`).join(', ')})`,
      );
    }
    header = {
      arrival: trimmed.indexOf(columns.arrival),
      prompt: trimmed.indexOf(columns.prompt),
      output: trimmed.indexOf(columns.output),
      width: trimmed.length,
      names: trimmed,
    };
  }

  function readTokens(name: string, text: string): number {
    const value = /^\d+(\.0*)?$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= 1 && value <= 2 ** 31 - 1)) {
      throw new Error(
        `line ${line}: invalid ${name}: ${JSON.stringify(text)} (expected an integer from 1)`,
      );
    }
    return value;
  }

  function readRow(fields: string[]): void {
    if (header === undefined) {
      readHeader(fields);
      return;
    }
    if (fields.length !== header.width) {
      throw new Error(`line ${line}: ${fields.length} fields (expected ${header.width})`);
    }
    if (columns.leftOut !== undefined) {
      const { names } = header;
      const reason = columns.leftOut((column) => (fields[names.indexOf(column)] ?? '').trim());
      if (reason !== undefined) {
        leftOut.set(reason, (leftOut.get(reason) ?? 0) + 1);
        return;
      }
    }
    const arrivalText = (fields[header.arrival] ?? '').trim();
    if (firstWhole === undefined && columns.isUnitGuessed === true) unit = guessUnit(arrivalText);
    const arrival = parseArrival(arrivalText, unit);
    if (arrival === undefined || arrival[0] + arrival[1] < 0) {
      const expected = unit === 'timestamp' ? 'a timestamp YYYY-MM-DD HH:MM:SS' : `${unit} from 0`;
      throw new Error(
        `line ${line}: invalid ${columns.arrival}: ${JSON.stringify(arrivalText)} (expected ${expected})`,
      );
    }
    const prompt = readTokens(columns.prompt, (fields[header.prompt] ?? '').trim());
    const output = readTokens(columns.output, (fields[header.output] ?? '').trim());
    if (prompt + output > params.maxTokensPerRequest) {
      tooLarge++;
      return;
    }
    if (count === capacity) {
      capacity *= 2;
      seconds = grown(seconds, new Float64Array(capacity));
      prompts = grown(prompts, new Int32Array(capacity));
      outputs = grown(outputs, new Int32Array(capacity));
    }
    firstWhole ??= arrival[0];
    seconds[count] = arrival[0] - firstWhole + arrival[1];
    prompts[count] = prompt;
    outputs[count++] = output;
  }

  function readText(text: string): void {
    delimiter ??= delimiterOf(text);
    const parsed = Papa.parse<string[]>(text, { header: false, skipEmptyLines: false, delimiter });
    for (const fields of parsed.data) {
      if (count >= limit) return;
      line++;
      if (fields.length === 1 && (fields[0] ?? '').trim() === '') continue;
      readRow(fields);
    }
    const quote = parsed.errors.find(({ type }) => type === 'Quotes');
    if (quote !== undefined) throw new Error(`line ${line}: ${quote.message.toLowerCase()}`);
  }

  return {
    push(text) {
      if (count >= limit) return;
      const all = rest + text;
      const end = all.lastIndexOf('\n');
      rest = all.slice(end + 1);
      if (rest.length > MAX_LINE_CHARACTERS) {
        throw new Error(
          `line ${line + 1}: longer than ${MAX_LINE_CHARACTERS} characters: not a CSV row`,
        );
      }
      if (end >= 0) readText(all.slice(0, end));
    },
    get isFull() {
      return count >= limit;
    },
    finish() {
      if (rest.trim() !== '') readText(rest);
      if (line === 0 || header === undefined) throw new Error('the file is empty');
      if (count === 0) {
        throw new Error(
          tooLarge > 0
            ? `no request left: all ${tooLarge} rows are above maxTokensPerRequest ${params.maxTokensPerRequest}`
            : leftOut.size > 0
              ? `no request left: ${leftOutText().join(', ')}`
              : 'the file has a header and no rows',
        );
      }
      return toWorkload();
    },
  };

  function leftOutText(): readonly string[] {
    return [...leftOut].map(([reason, rows]) => `${rows} rows left out: ${reason}`);
  }

  function toWorkload(): Workload {
    const order = Uint32Array.from({ length: count }, (_, i) => i);
    let unsorted = 0;
    for (let i = 1; i < count; i++) {
      if ((seconds[i] as number) < (seconds[i - 1] as number)) unsorted++;
    }
    if (unsorted > 0)
      order.sort((a, b) => (seconds[a] as number) - (seconds[b] as number) || a - b);
    const first = seconds[order[0] as number] as number;
    const notes = [
      ...(unsorted > 0
        ? [`${unsorted} rows were earlier than the row before them; all rows were sorted by time`]
        : []),
      ...(tooLarge > 0
        ? [`${tooLarge} rows above maxTokensPerRequest ${params.maxTokensPerRequest} were left out`]
        : []),
      ...leftOutText(),
      ...(count >= limit ? [`reading stopped at ${limit} requests`] : []),
    ];
    const name = columns.fileName === '' ? 'the bound file' : columns.fileName;
    return {
      arrivalSeconds: Float64Array.from(
        order,
        (i) => ((seconds[i] as number) - first) / params.rateScale,
      ),
      promptTokens: Int32Array.from(order, (i) => prompts[i] as number),
      outputTokens: Int32Array.from(order, (i) => outputs[i] as number),
      label: `${count} requests from ${name}`,
      source:
        columns.found === undefined
          ? name
          : `${name}: ${columns.found}${columns.isUnitGuessed === undefined ? '' : `, arrivals in ${UNIT_WORDS[unit]}`}`,
      seed: params.seed,
      notes,
    };
  }
}

const UNIT_WORDS: Readonly<Record<CsvLayout['unit'], string>> = {
  seconds: 'seconds',
  milliseconds: 'milliseconds',
  microseconds: 'microseconds',
  timestamp: 'timestamps',
};

function grown<A extends Float64Array | Int32Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
