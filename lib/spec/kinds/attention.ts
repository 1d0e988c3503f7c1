import '../zod-config';
import * as z from 'zod';
import { fromTokens } from '../../formula/tokens';
import {
  isReservedName,
  MASK_VARIABLES,
  MAX_NODES,
  SCORE_VARIABLES,
  type Scope,
} from '../../formula/tree';
import { attentionSelection } from './selection';

/** Largest sequence the page accepts; the adapter's own limits are checked when the cell runs. */
export const MAX_TOKENS = 65_536;
/** Most query-key pairs per head: 32,768 of each, or one query over `MAX_TOKENS`. */
const MAX_PAIRS = 2 ** 30;

const tokens = (low: number, high: number, fallback: number) =>
  z.int().min(low).max(high).default(fallback);
const strength = (fallback: number) => z.number().min(0).max(16).default(fallback);

/** Sizes of one attention call: Q is [batch, queryHeads, queries, headSize], K and V are [batch, kvHeads, keys, headSize]. */
export const attentionShape = z
  .strictObject({
    batch: tokens(1, 16, 1),
    queryHeads: tokens(1, 64, 8),
    kvHeads: tokens(1, 64, 2),
    queries: tokens(1, MAX_TOKENS, 1024),
    keys: tokens(1, MAX_TOKENS, 1024),
    headSize: z.int().min(4).max(256).multipleOf(4).default(64),
  })
  .refine((shape) => shape.queryHeads % shape.kvHeads === 0, {
    path: ['kvHeads'],
    error: 'expected a divisor of queryHeads',
  })
  .refine(({ queries, keys }) => queries * keys <= MAX_PAIRS, {
    path: ['queries'],
    error: `expected queries x keys of at most ${MAX_PAIRS}`,
  });
export type AttentionShape = z.output<typeof attentionShape>;

/**
 * Structure of the seeded synthetic inputs. Every strength is the height, in logits, that the
 * component adds to a score at its peak; all zero leaves i.i.d. normal Q, K and V.
 */
export const attentionStructure = z.strictObject({
  bandStrength: strength(4),
  bandWidthTokens: tokens(1, 4096, 32),
  sinkStrength: strength(5),
  sinkTokens: tokens(1, 64, 2),
  needleStrength: strength(0),
  needleCount: tokens(1, 64, 4),
  inductionStrength: strength(0),
  inductionPeriodTokens: tokens(2, 8192, 128),
});
export type AttentionStructure = z.output<typeof attentionStructure>;

/** Orders of a tensor's axes: b batch entry, h head, n position, d dimension of the head. */
export const TENSOR_LAYOUTS = ['bhnd', 'bnhd', 'hnd', 'nhd', 'nd'] as const;
export type TensorLayout = (typeof TENSOR_LAYOUTS)[number];

const tensorName = (fallback: string) => z.string().min(1).max(200).default(fallback);

/** Where Q, K and V come from: made from `structure` and the seed, or tensors of a safetensors file. */
export const attentionInputs = z.discriminatedUnion('source', [
  z.strictObject({ source: z.literal('synthetic') }),
  z.strictObject({
    source: z.literal('file'),
    fileName: z.string().max(200).default(''),
    query: tensorName('q'),
    key: tensorName('k'),
    value: tensorName('v'),
    layout: z.enum(TENSOR_LAYOUTS).default('bhnd'),
  }),
  /** A layer of the shipped recall model on a seeded text of `textTokens` tokens. */
  z.strictObject({
    source: z.literal('model'),
    layer: z.int().min(0).max(3).default(2),
    text: z.enum(['facts', 'passkey', 'copy', 'filler']).default('facts'),
    textTokens: z.int().min(100).max(1024).default(256),
  }),
]);
export type FileSource = Extract<z.output<typeof attentionInputs>, { source: 'file' }>;

const formulaName = z
  .string()
  .regex(
    /^[a-z][A-Za-z0-9]{0,23}$/,
    'expected a lower-case letter, then up to 23 letters or digits',
  )
  .refine((name) => !isReservedName(name), 'expected a name that is not taken by the language');
/** A formula as postfix tokens: `k <= q` is `["k", "q", "<="]`; see lib/formula. */
const formulaTokens = z.array(z.union([z.string().max(24), z.number()])).max(MAX_NODES);

/** A named number: a slider. Whole steps from a whole minimum make it an int in formulas. */
export const formulaNumber = z
  .strictObject({
    name: formulaName,
    value: z.number().min(-1e9).max(1e9),
    min: z.number().min(-1e9).max(1e9),
    max: z.number().min(-1e9).max(1e9),
    step: z.number().positive().max(1e6).default(1),
  })
  .refine(({ value, min, max }) => min <= value && value <= max, {
    path: ['value'],
    error: 'expected between min and max',
  });
export type FormulaNumber = z.output<typeof formulaNumber>;

const meanTokens = tokens(2, MAX_TOKENS, 256);
/** A table read at an index; made from the seed, except for `values`. */
export const formulaTable = z.discriminatedUnion('source', [
  /** Index of the segment (document, frame, turn) of a position; lengths are geometric. */
  z.strictObject({ name: formulaName, source: z.literal('segments'), meanTokens }),
  /** Class (modality, speaker) of a position, constant over runs of geometric length. */
  z.strictObject({
    name: formulaName,
    source: z.literal('classes'),
    classes: tokens(2, 16, 2),
    meanTokens,
  }),
  /** First and one past the last position of the subtree of a position, in a random tree numbered in depth-first order. */
  z.strictObject({
    name: formulaName,
    source: z.literal('subtree-end'),
    meanChildren: z.number().min(1.1).max(16).default(2),
  }),
  /** Independent normal numbers: a stand-in for a learned bias. */
  z.strictObject({
    name: formulaName,
    source: z.literal('normal'),
    perHead: z.boolean().default(true),
    entries: tokens(1, MAX_TOKENS, 32),
    deviation: z.number().min(0).max(100).default(1),
  }),
  z.strictObject({
    name: formulaName,
    source: z.literal('values'),
    perHead: z.boolean().default(false),
    values: z.array(z.number().min(-1e30).max(1e30)).min(1).max(1024),
  }),
]);
export type FormulaTable = z.output<typeof formulaTable>;

const formulaVariant = z
  .strictObject({
    type: z.literal('formula'),
    /** Which keys a query sees; empty for all. */
    mask: formulaTokens.default([]),
    /** What becomes of a scaled score; empty for no change. */
    score: formulaTokens.default([]),
    numbers: z.array(formulaNumber).max(8).default([]),
    tables: z.array(formulaTable).max(4).default([]),
  })
  .superRefine((variant, context) => {
    const names = [...variant.numbers, ...variant.tables].map(({ name }) => name);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) {
      context.addIssue({
        code: 'custom',
        path: ['numbers'],
        message: `duplicate name: "${twice}"`,
      });
    }
    for (const part of ['mask', 'score'] as const) {
      const tokens = variant[part];
      if (tokens.length === 0) continue;
      const built = fromTokens(
        tokens,
        formulaScope(variant, part),
        part === 'mask' ? 'bool' : 'float',
      );
      if (built.ok) continue;
      context.addIssue({
        code: 'custom',
        path: [part],
        message: `a formula; token ${built.at}: ${built.message}`,
        input: tokens,
      });
    }
  });
export type FormulaVariant = z.output<typeof formulaVariant>;

/** The names that a variant's mask or score may use. */
export function formulaScope(
  { numbers, tables }: Pick<FormulaVariant, 'numbers' | 'tables'>,
  part: 'mask' | 'score',
): Scope {
  const isWhole = (number: FormulaNumber) =>
    Number.isInteger(number.step) && Number.isInteger(number.min) && Number.isInteger(number.value);
  const isFloat = (table: FormulaTable) =>
    table.source === 'normal' ||
    (table.source === 'values' && !table.values.every(Number.isInteger));
  return {
    variables: part === 'mask' ? MASK_VARIABLES : SCORE_VARIABLES,
    numbers: Object.fromEntries(
      numbers.map((number) => [number.name, isWhole(number) ? 'int' : 'float']),
    ),
    tables: Object.fromEntries(
      tables.map((table) => [table.name, isFloat(table) ? 'float' : 'int']),
    ),
  };
}

/** Which keys a query may see. Queries are the last `queries` positions of the `keys` positions. */
export const attentionVariant = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('dense') }),
  z.strictObject({ type: z.literal('causal') }),
  z.strictObject({
    type: z.literal('sliding-window'),
    windowTokens: tokens(1, MAX_TOKENS, 256),
  }),
  z.strictObject({
    type: z.literal('window-sinks'),
    windowTokens: tokens(1, MAX_TOKENS, 256),
    sinkTokens: tokens(1, 1024, 4),
  }),
  z.strictObject({
    type: z.literal('documents'),
    meanDocumentTokens: tokens(2, MAX_TOKENS, 256),
    causal: z.boolean().default(true),
  }),
  formulaVariant,
]);
export type AttentionVariant = z.output<typeof attentionVariant>;

export const attentionParams = z
  .strictObject({
    shape: attentionShape.prefault({}),
    structure: attentionStructure.prefault({}),
    /** With a file, `shape` must be that of its tensors. */
    inputs: attentionInputs.default({ source: 'synthetic' }),
    variant: attentionVariant.default({ type: 'causal' }),
    /** Keys chosen from the data, within a dense or causal variant. */
    select: attentionSelection.default({ type: 'none' }),
    /** `auto` is WebGPU where there is an adapter of hardware, else WebAssembly. `cpu` is the f64 reference. */
    engine: z.enum(['auto', 'webgpu', 'wasm', 'cpu']).default('auto'),
    timedRuns: z.int().min(1).max(50).default(5),
    seed: z
      .int()
      .min(0)
      .max(2 ** 31 - 1)
      .default(1),
  })
  .refine(
    ({ select, variant }) =>
      select.type === 'none' || variant.type === 'dense' || variant.type === 'causal',
    { path: ['select'], error: 'expected type none, unless the variant is dense or causal' },
  );
export type AttentionParams = z.output<typeof attentionParams>;
