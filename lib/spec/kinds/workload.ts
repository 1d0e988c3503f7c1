import '../zod-config';
import * as z from 'zod';

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

/**
 * One JSON object a line, with the tokens themselves for a prefix cache: `input_toks`,
 * `output_toks`, `arrival_time_ns` and `input_tok_ids` (LLMServingSim), or `timestamp` in
 * milliseconds, `input_length`, `output_length` and `hash_ids` (Mooncake).
 */
const jsonLinesSource = z.strictObject({
  type: z.literal('json-lines'),
  fileName: z.string().max(200).default(''),
  /** Tokens that one of the `hash_ids` stands for. */
  tokensPerHash: z.int().min(1).max(65_536).default(512),
});

export const workloadParams = z.strictObject({
  source: z
    .discriminatedUnion('type', [generatorSource, azureCsvSource, csvSource, jsonLinesSource])
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
