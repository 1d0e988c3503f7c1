import '../zod-config';
import * as z from 'zod';

/** Queries that are compared with dense attention: one in so many. */
const rowStride = z.int().min(1).max(1024).default(16);

/** By what a head takes one of its alternatives. */
export const choiceCriterion = z.discriminatedUnion('type', [
  /** The output nearest to dense attention, as MInference's offline search has it. */
  z.strictObject({ type: z.literal('least-error'), rowStride }),
  /** The most attention mass per FLOP of visited blocks and of selecting. */
  z.strictObject({ type: z.literal('recall-per-flop'), rowStride }),
  /** The most attention mass among alternatives of at most this density. */
  z.strictObject({
    type: z.literal('recall-at-density'),
    maxDensity: z.number().min(0.01).max(1).default(0.25),
    rowStride,
  }),
  /** The first of two where means of blocks predict the attention of the last queries (FlexPrefill). */
  z.strictObject({
    type: z.literal('divergence'),
    blockTokens: z.int().min(8).max(512).multipleOf(8).default(32),
    tau: z.number().min(0).max(1).default(0.1),
  }),
]);
export type ChoiceCriterion = z.output<typeof choiceCriterion>;

/** What the criterion expects of the alternatives, or undefined where they are as it expects. */
export function choiceProblem(criterion: ChoiceCriterion, alternatives: number) {
  if (criterion.type !== 'divergence' || alternatives === 2) return undefined;
  return 'expected 2 alternatives under criterion divergence: one where pooling predicts attention, and one elsewhere';
}

/**
 * Two to four ways of selecting keys, of which every head takes one.
 *
 * @param alternative schema of one of them
 */
export function choiceOf<Alternative extends z.ZodType>(
  alternative: Alternative,
  fallback: readonly z.input<Alternative>[],
) {
  return z
    .strictObject({
      type: z.literal('choice'),
      criterion: choiceCriterion.prefault({ type: 'least-error' }),
      alternatives: z
        .array(alternative)
        .min(2)
        .max(4)
        .prefault([...fallback]),
    })
    .superRefine(({ criterion, alternatives }, context) => {
      const message = choiceProblem(criterion, alternatives.length);
      if (message !== undefined) {
        context.addIssue({ code: 'custom', path: ['alternatives'], message });
      }
    });
}
