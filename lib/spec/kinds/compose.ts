import '../zod-config';
import * as z from 'zod';
import { attentionParams, attentionVariant, MAX_TOKENS } from './attention';
import { composeEncoding } from './encoding';

const tokens = (fallback: number, low = 1, high = MAX_TOKENS) =>
  z.int().min(low).max(high).default(fallback);
const size = (fallback: number) => z.int().min(4).max(256).multipleOf(4).default(fallback);
const meanDocumentTokens = tokens(256, 2);

/** Which position a slot is encoded at; see lib/attention/position. */
export const composePositions = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('absolute') }),
  /** Every query sees the cache as it was at its own step: the first keys and the most recent ones. */
  z.strictObject({
    type: z.literal('slot-index'),
    sinkTokens: tokens(4, 0),
    /** Counts the query's own key. */
    recentTokens: tokens(252),
  }),
  /** Documents are those of the documents variant with the same mean length. */
  z.strictObject({ type: z.literal('restart'), meanDocumentTokens }),
  z.strictObject({
    type: z.literal('shared-start'),
    prefixKeys: tokens(64, 0),
    suffixKeys: tokens(64, 0),
    meanDocumentTokens,
  }),
  z.strictObject({ type: z.literal('clamped-far'), windowTokens: tokens(256) }),
  /** Runs of input and output of geometric length, as a classes table named group makes them. */
  z.strictObject({
    type: z.literal('decoupled'),
    output: z.enum(['group', 'overlap', 'gap']).default('group'),
    gapTokens: tokens(0, 0),
    meanRunTokens: tokens(64, 2),
  }),
  /** Runs of text, each before a clip of frames and their sound; positions of three parts (TMRoPE). */
  z.strictObject({
    type: z.literal('multimodal'),
    textTokens: tokens(64, 0),
    frames: z.int().min(1).max(256).default(4),
    rows: z.int().min(1).max(64).default(8),
    columns: z.int().min(1).max(64).default(8),
    /** Steps of time, and with sound its tokens, from one frame to the next. */
    stepsPerFrame: z.int().min(1).max(1024).default(12),
    hasSound: z.boolean().default(true),
    /** Shares of a head's rotary pairs that turn by time, height and width. */
    sections: z.array(z.int().min(1).max(128)).length(3).default([2, 3, 3]),
  }),
]);
export type ComposePositions = z.output<typeof composePositions>;

/** Attention over some of the keys, run by the kernels as a call of its own. */
export const composePart = z.strictObject({
  name: z
    .string()
    .regex(
      /^[a-z][a-z0-9 -]{0,23}$/,
      'expected a lower-case letter, then up to 23 of a-z, 0-9, space and -',
    ),
  variant: attentionVariant.default({ type: 'causal' }),
  /** A half of the head's channels as a narrower head: queries and keys of differential attention. */
  channels: z.enum(['all', 'first-half', 'second-half']).default('all'),
  /** Divides scores before the variant's own formula: below 1 the softmax is sharper. */
  temperature: z.number().min(0.05).max(20).default(1),
  /** Multiplies the part's log-sum-exp before it is merged. */
  lseScale: z.number().min(0.05).max(20).default(1),
});
export type ComposePart = z.output<typeof composePart>;

export const composeRule = z.discriminatedUnion('type', [
  /** Disjoint parts, joined exactly by their log-sum-exps. */
  z.strictObject({
    type: z.literal('merge'),
    /** A key that several parts see is an error, or goes to the first of them. */
    overlaps: z.enum(['refuse', 'first']).default('refuse'),
  }),
  /** gate x first part + (1 - gate) x second part, one gate per KV head. */
  z.strictObject({
    type: z.literal('gate'),
    gates: z
      .discriminatedUnion('type', [
        /** The heads with most mass outside the second part take the first one. */
        z.strictObject({
          type: z.literal('classes'),
          retrievalShare: z.number().min(0).max(1).default(0.5),
        }),
        /** One for all heads, or one per KV head. */
        z.strictObject({
          type: z.literal('values'),
          values: z.array(z.number().min(0).max(1)).min(1).max(64).default([0.5]),
        }),
      ])
      .default({ type: 'classes', retrievalShare: 0.5 }),
  }),
  /** first part - lambda x second part. */
  z.strictObject({
    type: z.literal('difference'),
    lambda: z.number().min(-4).max(4).default(0.8),
  }),
  /** Multi-head latent attention of the only part's mask, absorbed and expanded. */
  z.strictObject({
    type: z.literal('latent'),
    modelSize: z.int().min(4).max(1024).default(128),
    rank: size(64),
    ropeSize: size(16),
  }),
]);
export type ComposeRule = z.output<typeof composeRule>;

/** A virtual key of value 0 beside the keys of every softmax. */
export const composeSink = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  /** A virtual key of score 0: exp(s) / (1 + sum of exp(s)). */
  z.strictObject({ type: z.literal('off-by-one') }),
  z.strictObject({
    type: z.literal('logit'),
    logit: z.number().min(-100).max(100).default(0),
  }),
]);
export type ComposeSink = z.output<typeof composeSink>;

const { shape, structure, engine, timedRuns, seed } = attentionParams.shape;

export const composeParams = z
  .strictObject({
    shape,
    structure,
    encoding: composeEncoding.default({ type: 'none' }),
    positions: composePositions.default({ type: 'absolute' }),
    parts: z
      .array(composePart)
      .min(1)
      .max(4)
      .prefault([
        { name: 'recent', variant: { type: 'sliding-window', windowTokens: 256 } },
        {
          name: 'older',
          variant: {
            type: 'formula',
            mask: ['q', 'k', '-', 'window', '>='],
            numbers: [{ name: 'window', value: 256, min: 0, max: MAX_TOKENS }],
          },
        },
      ]),
    rule: composeRule.prefault({ type: 'merge' }),
    sink: composeSink.default({ type: 'none' }),
    engine,
    timedRuns,
    seed,
  })
  .superRefine((params, context) => {
    for (const { path, expected, input } of composeProblems(params)) {
      context.addIssue({ code: 'custom', path, message: `expected ${expected}`, input });
    }
  });
export type ComposeParams = z.output<typeof composeParams>;

interface Problem {
  readonly path: (string | number)[];
  readonly expected: string;
  readonly input: unknown;
}

/** Fields that are right by themselves and do not fit each other. */
function composeProblems({
  shape: { queries, keys, headSize, kvHeads },
  encoding,
  positions,
  parts,
  rule,
}: ComposeParams): readonly Problem[] {
  const problems: Problem[] = [];
  const expect = (fits: boolean, path: Problem['path'], input: unknown, expected: string) => {
    if (!fits) problems.push({ path, expected, input });
  };
  expect(queries <= keys, ['shape', 'queries'], queries, `at most ${keys}, the keys`);
  parts.forEach(({ name }, i) => {
    const first = parts.findIndex((part) => part.name === name);
    expect(first === i, ['parts', i, 'name'], name, 'a name that no other part has');
  });
  if (positions.type === 'shared-start') {
    const { prefixKeys, suffixKeys } = positions;
    const most = Math.max(0, keys - prefixKeys);
    expect(
      prefixKeys + suffixKeys <= keys,
      ['positions', 'suffixKeys'],
      suffixKeys,
      `at most ${most}, the keys after the prefix`,
    );
  }
  const wanted = { merge: [1, 4], gate: [2, 2], difference: [2, 2], latent: [1, 1] }[rule.type];
  const [least, most] = wanted as [number, number];
  expect(
    parts.length === 0 || (parts.length >= least && parts.length <= most),
    ['parts'],
    parts.length,
    `${least === most ? least : `${least}..${most}`} for rule ${rule.type}; ${parts.length < least ? `add ${least - parts.length}` : `remove ${parts.length - most}`} first`,
  );
  if (rule.type === 'gate' && rule.gates.type === 'values') {
    const { length } = rule.gates.values;
    expect(
      length === 1 || length === kvHeads,
      ['rule', 'gates', 'values'],
      rule.gates.values,
      kvHeads === 1 ? '1 gate' : `1 gate or ${kvHeads}, one per KV head`,
    );
  }
  if (encoding.type === 'rope' || encoding.type === 'xpos') {
    const { type } = encoding.scaling;
    const isHalved = parts.some(({ channels }) => channels !== 'all');
    expect(
      headSize > 4 || !isHalved || (type !== 'ntk' && type !== 'dynamic-ntk'),
      ['shape', 'headSize'],
      headSize,
      'at least 8 for halves of a head with NTK scaling',
    );
  }
  if (positions.type === 'multimodal') {
    expect(
      encoding.type === 'none' || encoding.type === 'rope',
      ['encoding', 'type'],
      encoding.type,
      'none or rope for positions multimodal',
    );
  }
  if (rule.type === 'latent') {
    const at = (...path: string[]) => ['rule', ...path];
    expect(
      rule.rank + rule.ropeSize <= 256,
      at('rank'),
      rule.rank,
      `at most ${256 - rule.ropeSize} beside ropeSize`,
    );
    expect(
      headSize + rule.ropeSize <= 256,
      at('ropeSize'),
      rule.ropeSize,
      `at most ${256 - headSize} beside headSize`,
    );
    expect(
      encoding.type === 'none' || encoding.type === 'rope',
      ['encoding', 'type'],
      encoding.type,
      'none or rope for rule latent',
    );
    expect(
      positions.type === 'absolute',
      ['positions', 'type'],
      positions.type,
      'absolute for rule latent',
    );
    expect(
      parts[0]?.channels === 'all',
      ['parts', 0, 'channels'],
      parts[0]?.channels,
      'all for rule latent',
    );
  }
  return problems;
}
