import type { Evidence } from '../../serving/checks/types';
import type { Arm, CacheCheck, CheckFigure, Measured } from './types';

const CONTEXT = 160;
const SAMPLES = 8;

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

type By = 'accuracy' | 'logit error';

interface Comparison {
  readonly id: string;
  readonly asks: string;
  readonly rule: string;
  readonly evidence: Evidence;
  /** The policy, and what it is held against. */
  readonly arms: readonly [Arm, Arm];
  readonly by: By;
  /** The policy may be worse by so much and still be in the band; 0 unless given. */
  readonly slack?: number;
  /** Its bytes on the device, against the full cache in f16, where they are known. */
  readonly deviceRatio?: { readonly low?: number; readonly high?: number };
}

/** A check that one policy does at least as well as another. */
export function comparison(of: Comparison): CacheCheck {
  const { id, asks, rule, evidence, by, slack = 0, deviceRatio } = of;
  const [own, other] = of.arms;
  const otherName = nameOf(other) === nameOf(own) ? `${nameOf(other)} (other)` : nameOf(other);
  const source = rule;
  return {
    id,
    title: `${nameOf(own)} against ${otherName}`,
    asks,
    rule,
    evidence,
    arms: { [nameOf(own)]: own, [otherName]: other },
    figures(measured) {
      const mine = measured[nameOf(own)] as Measured;
      const its = measured[otherName] as Measured;
      return [
        by === 'accuracy'
          ? {
              label: `accuracy, ${nameOf(own)} less ${otherName}`,
              value: 100 * (mine.accuracy - its.accuracy),
              unit: '%',
              expected: { low: -100 * slack },
              source,
            }
          : {
              label: `logit error, ${nameOf(own)} over ${otherName}`,
              value: mine.logitError / its.logitError,
              unit: 'x',
              expected: { high: 1 + slack },
              source,
            },
        ...(deviceRatio
          ? [
              {
                label: 'bytes on the device, of full in f16',
                value: mine.deviceRatio,
                unit: 'x',
                expected: deviceRatio,
                source: 'arithmetic of what it holds',
              },
            ]
          : []),
        ...about(nameOf(own), mine),
        ...about(otherName, its),
      ];
    },
  };
}

const nameOf = ({ policyId, variant }: Arm) => (variant ? `${policyId}, ${variant}` : policyId);

/** Figures that only explain. */
function about(name: string, measured: Measured): CheckFigure[] {
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
