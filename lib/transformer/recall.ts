/** Files of the shipped recall model, in `public/models/recall`. */
export const RECALL_FILES = ['config.json', 'model.safetensors'] as const;
export type RecallFile = (typeof RECALL_FILES)[number];

/** Its attention, for forms that must know it before it is loaded; a test compares it with the file. */
export const RECALL_SHAPE = { layers: 4, heads: 8, kvHeads: 4, headSize: 16 } as const;
