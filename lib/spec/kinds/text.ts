import '../zod-config';
import * as z from 'zod';

/** Prose. Markdown with raw HTML off; it is the body between two fences of the file form. */
export const textParams = z.strictObject({
  markdown: z.string().max(20_000).default(''),
});
export type TextParams = z.output<typeof textParams>;
