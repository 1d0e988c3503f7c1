import '../zod-config';
import * as z from 'zod';

const tokens = z.int().min(1).max(1_000_000);
const seconds = z.number().min(0).max(1e6);

/** When programs start; a request on its own is a program of one. */
const arrivals = z.discriminatedUnion('process', [
  z.strictObject({ process: z.literal('poisson') }),
  /** Gamma renewal gaps: bursts where the coefficient of variation is above 1. */
  z.strictObject({
    process: z.literal('gamma'),
    gapCv: z.number().min(0.05).max(20).default(2),
  }),
  z.strictObject({ process: z.literal('uniform') }),
]);

/** The log-normal through two published figures. */
const medianAndP90 = {
  promptMedian: tokens.default(1730),
  promptP90: tokens.default(5696),
  outputMedian: tokens.default(415),
  outputP90: tokens.default(834),
};

const requestKind = z.strictObject({
  name: z.string().min(1).max(40).default('conversation'),
  /** Requests of this kind in proportion to its share among the shares. */
  share: z.number().min(0).max(1e6).default(1),
  ...medianAndP90,
  /** Smaller goes first, where the strategy looks at it. */
  priority: z.int().min(-1000).max(1000).default(0),
});
export type RequestKind = z.output<typeof requestKind>;

/** New tokens of a request, on top of a shared prefix and of what its program has said, and of its answer. */
const lengths = z.discriminatedUnion('model', [
  z.strictObject({ model: z.literal('azure-2023-conversation') }),
  z.strictObject({
    model: z.literal('fixed'),
    promptTokens: tokens.default(512),
    outputTokens: tokens.default(64),
  }),
  z.strictObject({ model: z.literal('log-normal'), ...medianAndP90 }),
  /** Log-normal by the mean of the tokens and the standard deviation of their logarithm. */
  z.strictObject({
    model: z.literal('log-normal-mean'),
    promptMean: tokens.default(1155),
    promptSigma: z.number().min(0).max(4).default(0.9),
    outputMean: tokens.default(211),
    outputSigma: z.number().min(0).max(4).default(0.9),
  }),
  z.strictObject({
    model: z.literal('mix'),
    kinds: z
      .array(requestKind)
      .min(1)
      .max(20)
      .default([
        {
          name: 'conversation',
          share: 0.7,
          promptMedian: 1020,
          promptP90: 2735,
          outputMedian: 129,
          outputP90: 424,
          priority: 0,
        },
        {
          name: 'code',
          share: 0.3,
          promptMedian: 1469,
          promptP90: 5194,
          outputMedian: 13,
          outputP90: 55,
          priority: 0,
        },
      ]),
  }),
]);

/** How often the i-th most popular is drawn: in proportion to i^-skew (Zipf). */
const popularitySkew = z.number().min(0).max(5).default(1);

/** What programs begin with in common. */
const sharing = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  /** One of a few prefixes, such as system prompts or few-shot examples. */
  z.strictObject({
    type: z.literal('groups'),
    groups: z.int().min(1).max(1_000_000).default(20),
    prefixTokens: tokens.default(1024),
    /** Share of the programs that begin with one. */
    sharedShare: z.number().min(0).max(1).default(1),
    popularitySkew,
  }),
  /** Retrieved chunks, each drawn without repetition, in the order of the draw, after a common beginning. */
  z.strictObject({
    type: z.literal('chunks'),
    documents: z.int().min(1).max(1_000_000).default(1000),
    chunkTokens: tokens.default(512),
    chunksPerProgram: z.int().min(1).max(100).default(4),
    systemTokens: z.int().min(0).max(1_000_000).default(128),
    popularitySkew,
  }),
]);

/** Time between the end of a request and the sending of what comes of it. */
const gap = z.discriminatedUnion('shape', [
  z.strictObject({ shape: z.literal('exponential'), meanSeconds: seconds.default(10) }),
  /** Two exponentials: most tools are fast, a few are not. */
  z.strictObject({
    shape: z.literal('mixture'),
    fastMeanSeconds: seconds.default(0.5),
    slowMeanSeconds: seconds.default(20),
    slowShare: z.number().min(0).max(1).default(0.05),
  }),
  /** Log-normal through its median and P90. */
  z.strictObject({
    shape: z.literal('log-normal'),
    medianSeconds: z.number().min(1e-6).max(1e6).default(8),
    p90Seconds: z.number().min(1e-6).max(1e6).default(60),
  }),
  /** A heavy tail: the share above x seconds falls as (least / x)^tailIndex. */
  z.strictObject({
    shape: z.literal('pareto'),
    leastSeconds: z.number().min(1e-6).max(1e6).default(0.5),
    tailIndex: z.number().min(0.1).max(20).default(1.5),
  }),
]);

/** Which requests come of which. */
const program = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  /** Turns that carry all that was said: their number is geometric, the gap is the user's. */
  z.strictObject({
    type: z.literal('chat'),
    turnsMean: z.number().min(1).max(1000).default(5),
    mostTurns: z.int().min(1).max(10_000).default(50),
    gap: gap.prefault({ shape: 'exponential' }),
  }),
  /** Steps with a tool call between them: each adds the tool's answer to the context. */
  z.strictObject({
    type: z.literal('agent'),
    turnsMean: z.number().min(1).max(1000).default(11),
    turnsDeviation: z.number().min(0).max(1000).default(3),
    /** Median and P90 of what a tool answers. */
    toolMedianTokens: tokens.default(600),
    toolP90Tokens: tokens.default(1200),
    gap: gap.prefault({ shape: 'mixture' }),
  }),
  /** Answers to one prompt in parallel, and one request that reads them all. */
  z.strictObject({
    type: z.literal('fork-join'),
    branches: z.int().min(1).max(1000).default(4),
    /** A first request whose answer all branches carry. */
    plansFirst: z.boolean().default(false),
    joinTokens: tokens.default(64),
    gap: gap.prefault({ shape: 'exponential', meanSeconds: 0.1 }),
  }),
]);

/** By when requests are due, where they are of use only in time. */
const limits = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  /** Three kinds by their shares: two times, one for all of it, one for a whole group (JITServe). */
  z.strictObject({
    type: z.literal('mix'),
    latencyShare: z.number().min(0).max(1e6).default(1),
    deadlineShare: z.number().min(0).max(1e6).default(1),
    collectiveShare: z.number().min(0).max(1e6).default(1),
    /** Latency: for the first token, and for each after it. */
    firstTokenSeconds: z.number().min(0.001).max(1e6).default(2),
    tokenSeconds: z.number().min(0).max(1e6).default(0.1),
    deadlineSeconds: z.number().min(0.001).max(1e6).default(20),
    collectiveSeconds: z.number().min(0.001).max(1e6).default(30),
    /** Requests sent together that count together; of a program, its own are the group. */
    groupRequests: z.int().min(1).max(1000).default(4),
  }),
]);

/** Pictures in the prompts, before the text. */
const images = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  z.strictObject({
    type: z.literal('uniform'),
    least: z.int().min(0).max(1000).default(2),
    most: z.int().min(0).max(1000).default(8),
    tokensPerImage: tokens.default(640),
  }),
]);

/** A generator of programs and shared prefixes: processes and distributions, set by their statistics. */
export const syntheticSource = z.strictObject({
  type: z.literal('synthetic'),
  /** Programs that start per second; requests where each comes on its own. */
  ratePerSecond: z.number().min(0.001).max(10_000).default(2),
  requests: z.int().min(1).max(2_000_000).default(600),
  arrivals: arrivals.prefault({ process: 'poisson' }),
  lengths: lengths.prefault({ model: 'azure-2023-conversation' }),
  sharing: sharing.prefault({ type: 'none' }),
  program: program.prefault({ type: 'none' }),
  limits: limits.prefault({ type: 'none' }),
  images: images.prefault({ type: 'none' }),
  /** Tokens that one id of the content stands for; the blocks of a prefix cache must divide it. */
  tokensPerId: z.int().min(1).max(4096).default(16),
});
export type SyntheticSource = z.output<typeof syntheticSource>;
export type SyntheticLengths = SyntheticSource['lengths'];
export type SyntheticSharing = SyntheticSource['sharing'];
export type SyntheticProgram = SyntheticSource['program'];
export type SyntheticLimits = SyntheticSource['limits'];
export type SyntheticImages = SyntheticSource['images'];
export type SyntheticGap = z.output<typeof gap>;
