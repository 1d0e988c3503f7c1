import '../zod-config';
import * as z from 'zod';

/** Where a model comes from. Only names travel in a link, never weights. */
export const modelSource = z.discriminatedUnion('type', [
  /** The recall model that is shipped with the page. */
  z.strictObject({ type: z.literal('recall') }),
  /** The user's own files (config.json, tokenizer.json, safetensors), bound to the cell. */
  z.strictObject({ type: z.literal('file'), fileName: z.string().max(200).default('') }),
  /** Files of the same names below an address, fetched when the cell is run. */
  z.strictObject({ type: z.literal('url'), base: z.string().max(500).default('') }),
]);
export type ModelSourceParams = z.output<typeof modelSource>;

/**
 * `auto` is a real GPU where there is one, else WebAssembly; `webgpu` is any adapter, software ones
 * too; `reference` is the plain TypeScript that they are compared with.
 */
export const modelEngine = z.enum(['auto', 'webgpu', 'wasm', 'reference']).default('auto');
export type ModelEngine = z.output<typeof modelEngine>;

/** A text that asks the shipped model for something it must look up in two steps. */
const SAMPLE_PROMPT =
  'paris : 42 ; the green river holds a letter . oslo : paris ; some old house keeps the garden . rome : 17 ; ? oslo :';

/** A transformer in the page: a text goes in, tokens come out greedily. */
export const modelParams = z.strictObject({
  source: modelSource.prefault({ type: 'recall' }),
  engine: modelEngine,
  prompt: z.string().max(20_000).default(SAMPLE_PROMPT),
  /** Tokens to generate; decoding stops early at an end-of-text token. */
  newTokens: z.int().min(0).max(512).default(4),
});
export type ModelParams = z.output<typeof modelParams>;
