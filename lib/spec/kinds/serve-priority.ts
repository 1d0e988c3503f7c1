import '../zod-config';
import * as z from 'zod';

const count = (low: number, high: number, fallback: number) =>
  z.int().min(low).max(high).default(fallback);
const seed = z
  .int()
  .min(0)
  .max(2 ** 31 - 1)
  .default(1);

/** Order of the waiting requests: the smallest key first, ties by arrival. */
export const priorityPart = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('fcfs') }),
  z.strictObject({ type: z.literal('lcfs') }),
  z.strictObject({
    type: z.literal('sjf'),
    by: z.enum(['prompt', 'output', 'total']).default('output'),
    /** A request gains so many tokens of precedence per second of waiting. */
    agingTokensPerSecond: z.number().min(0).max(1e6).default(0),
    /** Standard deviation of the logarithm of predicted over true output length; 0 is an oracle. */
    predictionError: z.number().min(0).max(5).default(0),
    seed,
  }),
  z.strictObject({
    type: z.literal('srpt'),
    predictionError: z.number().min(0).max(5).default(0),
    seed,
  }),
  /** Deadline = arrival + the workload's limit, or else + base + prompt tokens x the second figure. */
  z.strictObject({
    type: z.literal('edf'),
    baseSeconds: z.number().min(0).max(3600).default(0.25),
    secondsPerPromptToken: z.number().min(0).max(10).default(0.0005),
  }),
  /** Virtual token counter per client: the client that got the least service goes first. */
  z.strictObject({
    type: z.literal('vtc'),
    inputWeight: z.number().min(0).max(100).default(1),
    outputWeight: z.number().min(0).max(100).default(2),
  }),
  /** By the first send of the program that a request belongs to. */
  z.strictObject({ type: z.literal('program-fcfs') }),
  /** Longest cached prefix first; by arrival while more than so many wait (SGLang). */
  z.strictObject({ type: z.literal('lpm'), fcfsAbove: count(1, 1_000_000, 128) }),
  /** Largest cached share of the prompt first. */
  z.strictObject({ type: z.literal('hit-ratio') }),
  /** Least attained service of the program, in bins of tokens (Autellix). */
  z.strictObject({ type: z.literal('las'), binTokens: count(1, 1_000_000, 400) }),
  /** Multi-level feedback: level k holds programs of at most base x 2^k tokens of service. */
  z.strictObject({
    type: z.literal('mlfq'),
    baseTokens: count(1, 1_000_000, 512),
    levels: count(1, 32, 8),
  }),
  /** sgn(slack) / deadline: those that can still make it by deadline, then the others, latest first. */
  z.strictObject({
    type: z.literal('s-edf'),
    baseSeconds: z.number().min(0).max(3600).default(0.25),
    secondsPerPromptToken: z.number().min(0).max(10).default(0.0005),
  }),
  /**
   * What a request is worth, less by the share by which it would be late, per second that it still
   * needs (JITServe). A workload with time limits says by which each is late, and which of them are
   * worth something only together; else the limits are those here. Output lengths are predicted.
   */
  z.strictObject({
    type: z.literal('density'),
    ttftSeconds: z.number().min(0.001).max(3600).default(1),
    /** Limit of every token after the first, and the time that one is expected to take. */
    tokenSeconds: z.number().min(0.0001).max(60).default(0.05),
    decodeSeconds: z.number().min(0.00001).max(60).default(0.02),
    /** What an output token counts beside a prompt token. */
    outputWeight: z.number().min(0).max(1000).default(8),
    /** Exponent of the share by which lateness devalues. */
    penalty: z.number().min(0).max(100).default(1),
    /** Standard deviation of the logarithm of predicted over true tokens left; 0 is an oracle. */
    predictionError: z.number().min(0).max(5).default(0),
    /** Quantile of what is predicted that is taken for the length: above 0.5 for caution. */
    quantile: z.number().min(0.01).max(0.99).default(0.5),
    /** Output tokens between two predictions. */
    refreshTokens: count(1, 1_000_000, 50),
    seed,
  }),
  /** An order from outside that changes every so many iterations, as fairness would (FastSwitch). */
  z.strictObject({
    type: z.literal('external'),
    /** All drawn anew, or each keeping its place with a chance. */
    pattern: z.enum(['random', 'markov']).default('random'),
    keepChance: z.number().min(0).max(1).default(0.8),
    everyIterations: count(1, 1_000_000, 50),
    seed,
  }),
  /**
   * Agent fair share (SAGA): the client whose programs have most left to do over the time to their
   * deadlines goes first. Needs true output lengths.
   */
  z.strictObject({
    type: z.literal('fair-share'),
    /** Of a program, from its first send. */
    deadlineSeconds: z.number().min(0.001).max(1e6).default(300),
  }),
]);
export type PriorityPart = z.output<typeof priorityPart>;
