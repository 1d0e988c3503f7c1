import Papa from 'papaparse';
import type { TRACE_FORMATS } from '../spec/kinds/workload';
import { AZURE_COLUMNS } from './csv';
import { delimiterOf } from './delimiter';
import { type GuessedColumns, guessColumns } from './guess-columns';
import { DIALECTS, dialectOf } from './json-dialects';

export type TraceFormat = (typeof TRACE_FORMATS)[number];

export interface Detected {
  readonly format: TraceFormat;
  /** What was found, for the reader. */
  readonly sentence: string;
  /** Columns that the header does not name as any known trace does, taken by the words in it. */
  readonly columns?: GuessedColumns;
}

/** Columns of the CSV formats: arrival, prompt and output. */
export const CSV_COLUMNS = {
  azure: AZURE_COLUMNS,
  burstgpt: {
    arrival: 'Timestamp',
    prompt: 'Request tokens',
    output: 'Response tokens',
    unit: 'seconds',
  },
  splitwise: {
    arrival: 'arrival_timestamp',
    prompt: 'prompt_size',
    output: 'token_size',
    unit: 'seconds',
  },
  vidur: {
    arrival: 'arrived_at',
    prompt: 'num_prefill_tokens',
    output: 'num_decode_tokens',
    unit: 'seconds',
  },
  csv: {
    arrival: 'arrival_s',
    prompt: 'prompt_tokens',
    output: 'output_tokens',
    unit: 'seconds',
  },
} as const;
type CsvFormat = keyof typeof CSV_COLUMNS;

const NAMES: Readonly<Record<CsvFormat, string>> = {
  azure: 'an Azure trace (2023 or 2024)',
  burstgpt: 'a BurstGPT trace',
  splitwise: 'a trace of the Splitwise simulator',
  vidur: 'a trace of Vidur',
  csv: 'a CSV file of requests',
};

const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');

/** What a file of a given CSV format is said to be. */
export function csvSentence(format: CsvFormat): string {
  const { arrival, prompt, output } = CSV_COLUMNS[format];
  return `${NAMES[format]}: columns ${quoted([arrival, prompt, output])}`;
}

export const SHAREGPT_SENTENCE = 'ShareGPT conversations';

/**
 * Tells the format of a trace by its beginning: the header of a CSV file, or the first object.
 *
 * @param head the first line, or the beginning of a long one
 * @throws Error with the line, where it is no known format
 */
export function detectTrace(head: string): Detected {
  const text = head.replace(/^\uFEFF/, '').trimStart();
  if (text.startsWith('[') || /^\{[^{[]*"(conversations?|messages)"\s*:/.test(text))
    return { format: 'sharegpt', sentence: SHAREGPT_SENTENCE };
  const line = text.split('\n', 1)[0] ?? '';
  if (line.startsWith('{')) return { format: 'json-lines', sentence: jsonSentence(line) };
  const names = (
    Papa.parse<string[]>(line.trimEnd(), { delimiter: delimiterOf(line) }).data[0] ?? []
  ).map((name) => name.trim());
  const format = (Object.keys(CSV_COLUMNS) as CsvFormat[]).find((each) => {
    const { arrival, prompt, output } = CSV_COLUMNS[each];
    return [arrival, prompt, output].every((name) => names.includes(name));
  });
  if (format !== undefined) return { format, sentence: csvSentence(format) };
  const columns = guessColumns(names);
  if (columns !== undefined) {
    const { arrival, prompt, output, others } = columns;
    const unused = others.length === 0 ? '' : ` and not ${quoted(others)}`;
    return {
      format: 'csv',
      sentence: `a CSV file: columns taken by their names, ${quoted([arrival, prompt, output])}${unused}`,
      columns,
    };
  }
  const known = Object.values(CSV_COLUMNS).map(({ prompt }) => prompt);
  throw new Error(
    `line 1: no known trace: ${JSON.stringify(line.slice(0, 120))} (expected JSON, or a header with ${known.map((name) => `"${name}"`).join(' or ')}; choose the source csv to name the columns)`,
  );
}

/** A line that is cut off, or no JSON, is told apart by the parser, which names what is wrong. */
function jsonSentence(line: string): string {
  const fields: Record<string, unknown> = {};
  for (const [, name = ''] of line.matchAll(/"(\w+)"\s*:/g)) fields[name] = true;
  const dialect = dialectOf(fields);
  if (dialect === undefined)
    throw new Error(
      `line 1: no known trace: a JSON object with ${quoted(Object.keys(fields).slice(0, 12)) || 'nothing'} (expected ${DIALECTS.map(({ prompt }) => `"${prompt}"`).join(', ')} or "conversations")`,
    );
  const ids = dialect.ids.filter((name) => fields[name] !== undefined);
  const more = [...ids, ...(fields.session_id === undefined ? [] : ['session_id'])];
  return `JSON lines, ${dialect.name}${more.length > 0 ? ` with ${more.join(', ')}` : ''}`;
}
