/** Files of the shipped recall model, in `public/models/recall`. */
export const RECALL_FILES = ['config.json', 'model.safetensors'] as const;
export type RecallFile = (typeof RECALL_FILES)[number];

/** Its attention, for forms that must know it before it is loaded; a test compares it with the file. */
export const RECALL_SHAPE = { layers: 4, heads: 8, kvHeads: 4, headSize: 16 } as const;

/**
 * Tasks of `lib/tasks` that it answers with the full cache, at least 80 % of 60 contexts of 512
 * tokens (and the stream whose loss is measured). It does not gather several values or count words,
 * and among needles of several tokens it finds half, so what these tasks say of a cache is nothing; a
 * test measures the list again.
 */
export const RECALL_TASKS: readonly string[] = [
  'passkey',
  'multi-passkey',
  'niah-single',
  'niah-multi-key-1',
  'niah-multi-query',
  'variable-tracking',
  'mqar',
  'induction',
  'copy',
  'chunk-qa',
  'multi-turn',
  'latest',
  'stream-qa',
  'edits',
  'known-entropy',
];
