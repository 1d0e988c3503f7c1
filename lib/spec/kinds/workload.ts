import '../zod-config';
import * as z from 'zod';
import { syntheticSource } from './workload-synthetic';

export const MAX_REQUESTS = 2_000_000;

/** A generator that needs no file: arrival process and lengths fitted to public statistics. */
const generatorSource = z.strictObject({
  type: z.literal('generator'),
  lengths: z.enum(['azure-2023-conversation', 'fixed']).default('azure-2023-conversation'),
  /** Used when `lengths` is `fixed`. */
  promptTokens: z.int().min(1).max(1_000_000).default(512),
  outputTokens: z.int().min(1).max(1_000_000).default(64),
  arrival: z.enum(['poisson', 'gamma', 'uniform']).default('poisson'),
  /** Coefficient of variation of the gaps; used when `arrival` is `gamma`. */
  gapCv: z.number().min(0.05).max(20).default(1.09),
  ratePerSecond: z.number().min(0.001).max(10_000).default(5.53),
  requests: z.int().min(1).max(MAX_REQUESTS).default(600),
  /** Clients that the requests belong to; the i-th sends in proportion to i^-skew (Zipf). */
  clients: z.int().min(1).max(10_000).default(1),
  clientSkew: z.number().min(0).max(5).default(0),
});

/** The columns of the Azure 2023 traces: TIMESTAMP, ContextTokens, GeneratedTokens. */
const azureCsvSource = z.strictObject({
  type: z.literal('azure-csv'),
  fileName: z.string().max(200).default(''),
});

/** Any CSV with a header: name the columns and the unit of the arrival column. */
const csvSource = z.strictObject({
  type: z.literal('csv'),
  fileName: z.string().max(200).default(''),
  arrivalColumn: z.string().min(1).max(200).default('arrival_s'),
  promptColumn: z.string().min(1).max(200).default('prompt_tokens'),
  outputColumn: z.string().min(1).max(200).default('output_tokens'),
  arrivalUnit: z.enum(['seconds', 'milliseconds', 'microseconds', 'timestamp']).default('seconds'),
});

/** What is done with arrival times that are only known to a tick: nothing, or spread over the tick. */
const tickSpread = z.enum(['none', 'in-order', 'uniform']).default('none');
const tickSeconds = z.number().min(0.001).max(3600).default(3);

/**
 * One JSON object a line, with the tokens themselves for a prefix cache: `input_toks`,
 * `output_toks`, `arrival_time_ns` and `input_tok_ids` (LLMServingSim), `timestamp` in
 * milliseconds, `input_length`, `output_length` and `hash_ids` (Mooncake), or `session_id`,
 * `arrival_s`, `tool_gap_s`, `prompt_tokens`, `output_tokens` and perhaps `token_ids`.
 */
const jsonLinesSource = z.strictObject({
  type: z.literal('json-lines'),
  fileName: z.string().max(200).default(''),
  /** Tokens that one of the `hash_ids` stands for. */
  tokensPerHash: z.int().min(1).max(65_536).default(512),
  tickSpread,
  tickSeconds,
});

/** Formats of trace files that are told by their header or first line. */
export const TRACE_FORMATS = [
  'azure',
  'burstgpt',
  'splitwise',
  'vidur',
  'csv',
  'json-lines',
  'sharegpt',
] as const;

/** A trace of any known format. */
const traceSource = z.strictObject({
  type: z.literal('trace'),
  fileName: z.string().max(200).default(''),
  format: z.enum(['auto', ...TRACE_FORMATS]).default('auto'),
  /** BurstGPT: which of its logs. */
  logType: z.enum(['all', 'conversation', 'api']).default('all'),
  /** BurstGPT: only the requests to this model; all where it is empty. */
  model: z.string().max(100).default(''),
  tokensPerHash: z.int().min(1).max(65_536).default(512),
  tickSpread,
  tickSeconds,
  /** ShareGPT: its conversations carry no times; they begin as a Poisson process. */
  conversationsPerSecond: z.number().min(0.001).max(10_000).default(1),
  /** ShareGPT: mean of the exponential pause before the user's next message. */
  thinkMeanSeconds: z.number().min(0).max(1e6).default(10),
  /** ShareGPT: what stands in for a tokenizer where a message has no `token_ids`. */
  standIn: z.enum(['characters', 'words']).default('characters'),
  charactersPerToken: z.int().min(1).max(100).default(4),
});

export const workloadParams = z.strictObject({
  source: z
    .discriminatedUnion('type', [
      generatorSource,
      syntheticSource,
      traceSource,
      azureCsvSource,
      csvSource,
      jsonLinesSource,
    ])
    .prefault({ type: 'generator' }),
  /** Arrival times are divided by this: 2 doubles the rate. */
  rateScale: z.number().min(0.001).max(1000).default(1),
  /** Only the first so many requests are kept. */
  maxRequests: z.int().min(1).max(MAX_REQUESTS).default(MAX_REQUESTS),
  /** Requests with prompt + output above this are rejected while reading, and counted. */
  maxTokensPerRequest: z.int().min(2).max(2_000_000).default(131_072),
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(1),
});
export type WorkloadParams = z.output<typeof workloadParams>;
export type WorkloadSource = WorkloadParams['source'];
export type GeneratedSource = Extract<WorkloadSource, { type: 'generator' | 'synthetic' }>;
export type FileSource = Exclude<WorkloadSource, GeneratedSource>;

/** Whether the source draws its requests, and so needs no file and has a rate to set. */
export function isGenerated(source: WorkloadSource): source is GeneratedSource {
  return source.type === 'generator' || source.type === 'synthetic';
}
