/** What a parser of JSON lines needs to know of its source. */
export interface JsonLinesOptions {
  readonly fileName: string;
  readonly tokensPerHash: number;
  readonly tickSpread: 'none' | 'in-order' | 'uniform';
  readonly tickSeconds: number;
  /** What the file was taken for. */
  readonly found?: string;
}

/** The names that a trace uses for its columns. */
export interface Dialect {
  readonly name: string;
  readonly arrival: string;
  readonly perSecond: number;
  readonly prompt: string;
  readonly output: string;
  readonly ids: readonly string[];
  readonly tokensPerId: (options: JsonLinesOptions) => number;
  /** A name that the first line has too. */
  readonly has?: string;
}

const OWN = {
  arrival: 'arrival_s',
  perSecond: 1,
  prompt: 'prompt_tokens',
  output: 'output_tokens',
};

export const DIALECTS: readonly Dialect[] = [
  {
    name: 'LLMServingSim',
    arrival: 'arrival_time_ns',
    perSecond: 1e9,
    prompt: 'input_toks',
    output: 'output_toks',
    ids: ['input_tok_ids', 'output_tok_ids'],
    tokensPerId: () => 1,
  },
  {
    name: 'Mooncake',
    arrival: 'timestamp',
    perSecond: 1e3,
    prompt: 'input_length',
    output: 'output_length',
    ids: ['hash_ids'],
    tokensPerId: ({ tokensPerHash }) => tokensPerHash,
  },
  {
    ...OWN,
    name: 'requests with block hashes',
    ids: ['hash_ids'],
    tokensPerId: ({ tokensPerHash }) => tokensPerHash,
    has: 'hash_ids',
  },
  {
    ...OWN,
    name: 'requests',
    ids: ['token_ids', 'output_token_ids'],
    tokensPerId: () => 1,
  },
];

/** The dialect of a trace by its first line; undefined if it is none. */
export function dialectOf(first: Readonly<Record<string, unknown>>): Dialect | undefined {
  return DIALECTS.find(
    ({ prompt, has }) =>
      first[prompt] !== undefined && (has === undefined || first[has] !== undefined),
  );
}
