import type { Evidence } from '../../serving/checks/types';
import { type Estimate, pairedDifference, pairedRatio } from '../../stats/paired';
import { runArms } from './run-arms';
import type { Arm, CacheCheck, CheckFigure, Measured } from './types';

const CONTEXT = 160;
/** Two policies that are both always right are told to be within 9 % of each other. */
const SAMPLES = 40;

/** An arm of a check at the sizes that all share. */
export function arm(policyId: string, share: number, more: Partial<Arm> = {}): Arm {
  return {
    policyId,
    share,
    task: 'niah-multi-key-1',
    contextTokens: CONTEXT,
    samples: SAMPLES,
    protocol: 'hidden',
    ...more,
  };
}

/** What a band comes from, in a few words; the rule itself stands above the figures. */
export const SOURCES: Readonly<Record<Evidence, string>> = {
  abstract: 'the paper’s claim',
  code: 'the authors’ code',
  'third-party': 'a summary of the paper',
  unverified: 'from memory',
  arithmetic: 'by construction',
};

export type By = 'accuracy' | 'logit error';

interface Comparison {
  readonly id: string;
  readonly asks: string;
  readonly rule: string;
  readonly evidence: Evidence;
  /** The policy, and what it is held against. */
  readonly arms: readonly [Arm, Arm];
  readonly by: By | readonly By[];
  /** The policy may be worse by so much and still be in the band; 0 unless given. */
  readonly slack?: number;
  /** The other arm gets the share of the cache that the policy's bytes come to. */
  readonly atEqualBytes?: boolean;
  /** Its bytes on the device, against the full cache in f16, where they are known. */
  readonly deviceRatio?: { readonly low?: number; readonly high?: number };
  /** Its slots, against those of the full cache. */
  readonly slotRatio?: { readonly low?: number; readonly high?: number };
  /** What a reader should know of the result besides. */
  readonly notes?: readonly string[];
}

/** A check that one policy does at least as well as another on the same contexts. */
export function comparison(of: Comparison): CacheCheck {
  const { id, asks, rule, evidence, by, slack = 0, atEqualBytes, notes = [] } = of;
  const [own, other] = of.arms;
  const [ownName, otherName] = namesOf(own, other);
  const measures = typeof by === 'string' ? [by] : by;
  return {
    id,
    title: `${ownName} against ${otherName}`,
    asks,
    rule,
    evidence,
    *run(ground) {
      const { measured, lines } = yield* runArms(ground, [
        [ownName, () => own],
        [
          otherName,
          ([mine]) => (atEqualBytes && mine ? { ...other, share: shareOf(mine) } : other),
        ],
      ]);
      const [mine, its] = measured as [Measured, Measured];
      return {
        figures: [
          ...measures.map((each) =>
            compared(each, [ownName, mine], [otherName, its], slack, SOURCES[evidence]),
          ),
          ...ratioFigures(of, mine),
          ...about(ownName, mine),
          ...about(otherName, its),
        ],
        series: [],
        notes: [...lines, ...notes],
      };
    },
  };
}

/** Share of the slots of a cache in f16 that takes as many bytes; their positions count too. */
const shareOf = ({ byteRatio }: Measured) => Math.min(1, byteRatio / (1 + 1 / 16));

/** Two arms' difference in one measure, with its interval over the contexts that they share. */
export function compared(
  by: By,
  [ownName, mine]: readonly [string, Measured],
  [otherName, its]: readonly [string, Measured],
  slack: number,
  source: string,
): CheckFigure {
  if (by === 'accuracy') {
    return {
      label: `accuracy, ${ownName} less ${otherName}`,
      ...scaled(pairedDifference(mine.right, its.right), 100),
      unit: '%',
      expected: { low: -100 * slack },
      source,
    };
  }
  return {
    label: `logit error, ${ownName} over ${otherName}`,
    ...scaled(pairedRatio(mine.logitErrors, its.logitErrors), 1),
    unit: 'x',
    expected: { high: 1 + slack },
    source,
  };
}

/** An estimate as a figure's value and interval. */
export function scaled({ value, low, high }: Estimate, by: number) {
  return { value: by * value, interval: { low: by * low, high: by * high } };
}

function ratioFigures({ deviceRatio, slotRatio }: Comparison, mine: Measured): CheckFigure[] {
  const source = 'arithmetic of what it holds';
  return [
    ...(deviceRatio
      ? [
          {
            label: 'bytes on the device, of full in f16',
            value: mine.deviceRatio,
            unit: 'x',
            expected: deviceRatio,
            source,
          },
        ]
      : []),
    ...(slotRatio
      ? [{ label: 'slots, of full', value: mine.slotRatio, unit: 'x', expected: slotRatio, source }]
      : []),
  ];
}

/** Names that tell two arms apart. */
function namesOf(own: Arm, other: Arm): readonly [string, string] {
  const [first, second] = [nameOf(own), nameOf(other)];
  return [first, first === second ? `${second} (other)` : second];
}

export const nameOf = ({ policyId, variant }: Arm) =>
  variant ? `${policyId}, ${variant}` : policyId;

/** Figures that only explain. */
export function about(name: string, measured: Measured): CheckFigure[] {
  const { accuracy, logitError, byteRatio, recomputedTokens, movedBytesPerToken } = measured;
  return [
    { label: `accuracy, ${name}`, value: 100 * accuracy, unit: '%' },
    { label: `logit error, ${name}`, value: logitError, unit: '' },
    { label: `bytes, ${name}, of full in f16`, value: byteRatio, unit: 'x' },
    ...(recomputedTokens > 0
      ? [{ label: `recomputed, ${name}`, value: recomputedTokens, unit: 'tokens a context' }]
      : []),
    ...(movedBytesPerToken > 0
      ? [{ label: `moved, ${name}`, value: movedBytesPerToken, unit: 'B a token' }]
      : []),
  ];
}
