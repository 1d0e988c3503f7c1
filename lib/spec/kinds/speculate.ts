import '../zod-config';
import * as z from 'zod';

/** What the model reads before it writes. */
export const speculateText = z.discriminatedUnion('type', [
  /** A text of the tasks, its end left off: the model writes in its place. */
  z.strictObject({
    type: z.literal('sample'),
    sample: z.enum(['facts', 'passkey', 'copy', 'filler']).default('facts'),
    /** Tokens of the whole text, the left-off end included. */
    textTokens: z.int().min(100).max(1000).default(256),
    seed: z
      .int()
      .min(0)
      .max(2 ** 31 - 1)
      .default(7),
  }),
  z.strictObject({ type: z.literal('prompt'), prompt: z.string().max(20_000).default('') }),
]);
export type SpeculateText = z.output<typeof speculateText>;

/** Draft and verify beside plain greedy decoding, on one text. */
export const speculateParams = z.strictObject({
  /** A name of `lib/speculate`; the cell says which are known when one is not. */
  drafter: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, { error: 'expected up to 64 of a-z, 0-9 and -' })
    .default('draft-lookup'),
  /** Share of the slots that a drafting policy keeps. */
  share: z.number().min(0.005).max(1).default(0.25),
  /** Most tokens drafted per round. */
  draftTokens: z.int().min(1).max(16).default(4),
  text: speculateText.prefault({ type: 'sample' }),
  /** Tokens to write. */
  newTokens: z.int().min(2).max(256).default(64),
});
export type SpeculateParams = z.output<typeof speculateParams>;
