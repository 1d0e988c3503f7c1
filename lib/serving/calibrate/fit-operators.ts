import type { OperatorsProfile } from '../../spec/kinds/serve-profile';
import { MIXED_ATTENTION } from '../cost/mixed-attention';
import { attentionMicroseconds, operatorMicroseconds } from '../cost/profile';
import type { BatchFeatures } from '../types';
import { fitNonNegative } from './least-squares';
import { heldOutRows, LEAST_ROWS, type ResidualRow } from './residuals';
import {
  type LayerOperator,
  type OperatorSamples,
  PART_NAMES,
  type SizeSamples,
  tooFewRows,
} from './samples';
import { fitTwoLines } from './two-lines';

const LAYER_OPERATORS: readonly LayerOperator[] = [
  'qkv',
  'attentionOutput',
  'gateUp',
  'down',
  'elementwise',
];

export interface OperatorsFit {
  readonly profile: OperatorsProfile;
  readonly residuals: readonly ResidualRow[];
  readonly notes: readonly string[];
}

interface Line {
  readonly base: number;
  readonly slope: number;
}

function fitLine(samples: SizeSamples, isHeld: Uint8Array): Line {
  const seen = samples.sizes.flatMap((_, i) => (isHeld[i] === 1 ? [] : [i]));
  const [base = 0, slope = 0] = fitNonNegative(
    [seen.map(() => 1), seen.map((i) => samples.sizes[i] as number)],
    seen.map((i) => samples.microseconds[i] as number),
  );
  return { base, slope };
}

/** A batch of the sampled sizes, decodes of equal contexts. */
function featuresOf({ attention }: OperatorSamples, row: number): BatchFeatures {
  const at = (column: readonly number[]): number => column[row] as number;
  const tokens = at(attention.prefillTokens);
  const decodes = at(attention.decodes);
  const context = at(attention.decodeContext);
  return {
    decodeCount: decodes,
    decodeContextTokens: decodes * context,
    decodeContextMin: context,
    decodeContextMax: context,
    prefillCount: tokens > 0 ? 1 : 0,
    prefillTokens: tokens,
    prefillTokensSquared: tokens ** 2,
    prefillContextTokens: at(attention.prefillContext),
    prefillContextTokensRounded: at(attention.prefillContext),
    prefillAttentionPairs: at(attention.pairs),
  };
}

type Term = (f: BatchFeatures) => number;
const ONE: Term = () => 1;
const PREFILL: readonly Term[] = [
  ONE,
  (f) => f.prefillTokens,
  (f) => f.prefillContextTokens,
  (f) => f.prefillAttentionPairs,
];
const DECODE: readonly Term[] = [
  ONE,
  (f) => f.decodeCount,
  (f) => f.decodeContextTokens,
  (f) => f.decodeContextTokens / f.decodeCount,
];
const MIXED: readonly Term[] = [...PREFILL, ...DECODE.slice(1)];

/**
 * Fits every operator of a layer and the three laws of attention by relative least squares, each on
 * four fifths of its rows; the rest is what the residuals are honest about.
 *
 * @throws Error naming the operator that has too few rows
 */
export function fitOperators(samples: OperatorSamples): OperatorsFit {
  const residuals: ResidualRow[] = [];
  const notes: string[] = [];

  const fitSizes = <T>(
    name: keyof typeof PART_NAMES,
    { sizes, microseconds }: SizeSamples,
    solveFor: (seen: SizeSamples) => T,
    predict: (found: T, size: number) => number,
  ): T => {
    const part = PART_NAMES[name];
    if (sizes.length < LEAST_ROWS) throw tooFewRows(part, sizes.length, LEAST_ROWS);
    const isHeld = heldOutRows(sizes.length, part);
    const seen = (_: number, i: number): boolean => isHeld[i] === 0;
    const found = solveFor({ sizes: sizes.filter(seen), microseconds: microseconds.filter(seen) });
    if (samples.assumed.includes(name)) return found;
    sizes.forEach((size, i) => {
      residuals.push({
        part,
        measured: microseconds[i] as number,
        predicted: predict(found, size),
        isHeldOut: isHeld[i] === 1,
      });
    });
    return found;
  };
  const curve = (name: LayerOperator) =>
    fitSizes(
      name,
      samples.layer[name],
      ({ sizes, microseconds }) => fitTwoLines(sizes, microseconds),
      operatorMicroseconds,
    );
  const line = (part: 'once' | 'head', each: SizeSamples): Line =>
    fitSizes(
      part,
      each,
      (seen) => fitLine(seen, new Uint8Array(seen.sizes.length)),
      ({ base, slope }, size) => base + slope * size,
    );
  const layer = Object.fromEntries(LAYER_OPERATORS.map((name) => [name, curve(name)])) as Record<
    LayerOperator,
    ReturnType<typeof curve>
  >;
  const once = line('once', samples.once);
  const head = line('head', samples.head);

  const rows = samples.attention.microseconds.map((measured, row) => ({
    measured,
    features: featuresOf(samples, row),
  }));
  const fitAttention = (
    part: string,
    terms: readonly Term[],
    isPart: (f: BatchFeatures) => boolean,
  ) => {
    const own = rows.filter(({ features }) => isPart(features));
    const isHeld = heldOutRows(own.length, part);
    const seen = own.filter((_, i) => isHeld[i] === 0);
    const found = fitNonNegative(
      terms.map((term) => seen.map(({ features }) => term(features))),
      seen.map(({ measured }) => measured),
    );
    return { part, own, isHeld, found };
  };
  const prefill = fitAttention('prefill attention', PREFILL, (f) => f.decodeCount === 0);
  const decode = fitAttention('decode attention', DECODE, (f) => f.prefillTokens === 0);
  for (const { part, own } of [prefill, decode])
    if (own.length < LEAST_ROWS) throw tooFewRows(part, own.length, LEAST_ROWS);
  const mixed = fitAttention(
    'mixed attention',
    MIXED,
    (f) => f.prefillTokens > 0 && f.decodeCount > 0,
  );
  const hasMixed = mixed.own.length >= 2 * LEAST_ROWS;
  if (!hasMixed) notes.push(`${mixed.own.length} rows of mixed batches: ${MIXED_ATTENTION.source}`);

  const [p0 = 0, p1 = 0, p2 = 0, p3 = 0] = prefill.found;
  const [d0 = 0, d1 = 0, d2 = 0, d3 = 0] = decode.found;
  const share = MIXED_ATTENTION.partsShare;
  const mixedCosts = hasMixed
    ? mixed.found
    : [p0 + d0, p1, p2, p3, d1, d2, d3].map((value) => value / share);
  const [m0 = 0, m1 = 0, m2 = 0, m3 = 0, m4 = 0, m5 = 0, m6 = 0] = mixedCosts;
  const largest = (column: readonly number[]): number => column.reduce((a, b) => Math.max(a, b), 0);
  const { attention } = samples;
  const profile: OperatorsProfile = {
    law: 'operators',
    label: samples.label,
    source: samples.source,
    rows: samples.usedRows,
    medianErrorPct: 0,
    p90ErrorPct: 0,
    measuredTokens: largest(samples.layer.qkv.sizes),
    measuredContextTokens: largest(attention.decodeContext),
    model: samples.model,
    layers: samples.layers,
    tensorParallel: samples.tensorParallel,
    ...layer,
    once: { baseMicroseconds: once.base, perTokenMicroseconds: once.slope },
    head: { baseMicroseconds: head.base, perSequenceMicroseconds: head.slope },
    prefillAttention: {
      baseMicroseconds: p0,
      perTokenMicroseconds: p1,
      perContextTokenMicroseconds: p2,
      perPairMicroseconds: p3,
    },
    decodeAttention: {
      baseMicroseconds: d0,
      perSequenceMicroseconds: d1,
      perContextTokenMicroseconds: d2,
      perMeanContextTokenMicroseconds: d3,
    },
    mixedAttention: {
      baseMicroseconds: m0,
      perTokenMicroseconds: m1,
      perPrefillContextTokenMicroseconds: m2,
      perPairMicroseconds: m3,
      perSequenceMicroseconds: m4,
      perDecodeContextTokenMicroseconds: m5,
      perMeanContextTokenMicroseconds: m6,
    },
    skewWeight: samples.skewWeight,
    allReduce: samples.allReduce,
  };
  for (const { part, own, isHeld } of [prefill, decode, mixed]) {
    own.forEach(({ measured, features }, i) => {
      const predicted = attentionMicroseconds(profile, features);
      residuals.push({ part, measured, predicted, isHeldOut: isHeld[i] === 1 });
    });
  }
  return { profile, residuals, notes };
}
