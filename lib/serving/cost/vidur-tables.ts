import '../../spec/zod-config';
import * as z from 'zod';
import type { CostModel } from '../types';

const linear = z.object({ step: z.number(), first: z.number(), ms: z.array(z.number()).min(1) });

/** Lookup tables of iteration times as exported from Vidur: linear operators, decode and prefill attention. */
const tablesSchema = z.object({
  profile: z.string(),
  num_layers: z.int().min(1),
  tp: z.int().min(1),
  nccl_add_ms: z.number(),
  decode_batching_overhead: z.number(),
  prefill_batching_overhead: z.number(),
  linear: z.record(z.string(), linear),
  attn_decode: z.object({
    kv: z.array(z.number()),
    batch_max: z.int(),
    ms: z.array(z.array(z.number())),
  }),
  attn_prefill: z.object({
    kv: z.array(z.number()),
    chunk_max: z.int(),
    ms: z.array(z.array(z.number())),
  }),
});
export type VidurTables = z.output<typeof tablesSchema>;

const ROUNDED_OPERATORS = [
  'attn_pre_proj',
  'attn_post_proj',
  'attn_rope',
  'input_layernorm',
  'mlp_up_proj',
  'mlp_down_proj',
  'mlp_act',
  'post_attention_layernorm',
  'add',
] as const;
const KV_GRANULARITY = 64;

/**
 * Checks a parsed file.
 * @throws Error naming the first wrong field and its place
 */
export function parseVidurTables(value: unknown): VidurTables {
  const parsed = tablesSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Error(
      `invalid operator tables: ${issue?.message.toLowerCase()} at ${issue?.path.join('.')}`,
    );
  }
  const needed = [
    ...ROUNDED_OPERATORS,
    'attn_kv_cache_save',
    ...(parsed.data.tp > 1 ? ['all_reduce'] : []),
  ];
  const missing = needed.filter((name) => parsed.data.linear[name] === undefined);
  if (missing.length > 0)
    throw new Error(`invalid operator tables: no linear operator ${missing.join(', ')}`);
  return parsed.data;
}

type Linear = z.output<typeof linear>;

function lookUp(name: string, table: Linear, tokens: number): number {
  const index = (tokens - table.first) / table.step;
  const ms = table.ms[index];
  if (ms === undefined) {
    const last = table.first + (table.ms.length - 1) * table.step;
    throw new RangeError(
      `operator tables end at ${last} tokens for ${name}, and an iteration has ${tokens}`,
    );
  }
  return ms;
}

/**
 * Iteration time as Vidur computes it (Agrawal et al., 2024): layers x the sum of operators, linear
 * ones at the token count rounded up to 8, decode attention at (batch, mean context rounded up to
 * 64), all prefills of a batch merged into one chunk of sqrt(sum of squares). CPU time is zero.
 */
export function vidurTablesCostModel(tables: VidurTables): CostModel {
  // One curve for everything that depends on the rounded token count alone.
  const rounded = ROUNDED_OPERATORS.map((name) => [name, tables.linear[name] as Linear] as const);
  const save = tables.linear.attn_kv_cache_save as Linear;
  const allReduce = tables.linear.all_reduce;
  const cache: number[] = [];
  function linearMs(tokens: number): number {
    const known = cache[tokens];
    if (known !== undefined) return known;
    let ms = lookUp('attn_kv_cache_save', save, tokens);
    const up = Math.ceil(tokens / 8) * 8;
    for (const [name, table] of rounded) ms += lookUp(name, table, up);
    if (tables.tp > 1 && allReduce !== undefined) {
      ms += 2 * (lookUp('all_reduce', allReduce, up) + tables.nccl_add_ms);
    }
    cache[tokens] = ms;
    return ms;
  }
  function cell(
    name: string,
    rows: readonly (readonly number[])[],
    row: number,
    column: number,
  ): number {
    const ms = rows[row]?.[column];
    if (ms === undefined)
      throw new RangeError(`operator tables have no ${name} at [${row}][${column}]`);
    return ms;
  }
  return {
    kind: 'tables',
    label: `operator tables ${tables.profile}`,
    source: `lookup tables of profile ${tables.profile}, from the bound file`,
    iterationSeconds(f) {
      let ms = linearMs(f.decodeCount + f.prefillTokens);
      if (f.decodeCount > 0) {
        const context = Math.floor(f.decodeContextTokens / f.decodeCount);
        const column = Math.ceil(context / KV_GRANULARITY);
        const overhead = f.decodeCount > 1 ? 1 + tables.decode_batching_overhead : 1;
        ms += cell('decode attention', tables.attn_decode.ms, f.decodeCount - 1, column) * overhead;
      }
      if (f.prefillCount > 0) {
        const chunk = roundHalfEven(Math.sqrt(f.prefillTokensSquared));
        const row = f.prefillContextTokensRounded / KV_GRANULARITY;
        const overhead = f.prefillCount > 1 ? 1 + tables.prefill_batching_overhead : 1;
        ms += cell('prefill attention', tables.attn_prefill.ms, row, chunk - 1) * overhead;
      }
      return (ms * tables.num_layers) / 1000;
    },
    // The mean context grows by one an iteration, and the tables step every 64.
    decodeRun: {
      iterations({ decodeCount, decodeContextTokens }) {
        const context = Math.floor(decodeContextTokens / decodeCount);
        return Math.ceil(context / KV_GRANULARITY) * KV_GRANULARITY - context + 1;
      },
      slopeSeconds: () => 0,
    },
  };
}

/** Python's `round`, which the tables were read with. */
function roundHalfEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}
