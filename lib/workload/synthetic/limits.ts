import type { Random } from '../../random/random';
import type { SyntheticImages, SyntheticLimits } from '../../spec/kinds/workload-synthetic';
import { LIMIT_KINDS, type LimitKind } from '../types';

/** By when a request is due, from its sending, and with whom it counts. */
export interface DrawnLimit {
  readonly kind: LimitKind;
  readonly groupId: number;
  readonly firstTokenSeconds: number;
  readonly lastTokenSeconds: number;
}

/** What all requests of one program have in common. */
export interface ProgramLimits {
  /** Whether it is sent together with the one before it. */
  readonly isWithBefore: boolean;
  readonly of: (outputTokens: number) => DrawnLimit;
}

/**
 * Draws the kind of every program. Requests of a collective kind that come on their own are sent in
 * groups; a program is a group of its own.
 *
 * @throws RangeError for shares that sum to nothing
 */
export function limitSampler(
  limits: SyntheticLimits,
  hasPrograms: boolean,
  random: Random,
): (() => ProgramLimits) | undefined {
  if (limits.type === 'none') return undefined;
  const { groupRequests, latencyShare, deadlineShare, collectiveShare } = limits;
  // Shares are of requests: a group counts as often as it has members.
  const members = hasPrograms ? 1 : groupRequests;
  const weights = [latencyShare, deadlineShare, collectiveShare / members];
  const total = weights.reduce((a, b) => a + b, 0);
  if (!(total > 0))
    throw new RangeError(`invalid limits: shares sum to ${total} (expected above 0)`);
  let group = -1;
  let moreOfGroup = 0;
  return () => {
    const isWithBefore = moreOfGroup > 0;
    let kind: LimitKind = 'collective';
    if (isWithBefore) moreOfGroup--;
    else {
      group++;
      let left = random.uniform() * total;
      const at = weights.findIndex((weight) => {
        left -= weight;
        return left < 0;
      });
      kind = LIMIT_KINDS[at < 0 ? 0 : at] as LimitKind;
      if (kind === 'collective') moreOfGroup = members - 1;
    }
    const groupId = group;
    return {
      isWithBefore,
      of: (outputTokens) => ({
        kind,
        groupId,
        firstTokenSeconds: kind === 'latency' ? limits.firstTokenSeconds : Infinity,
        lastTokenSeconds: {
          latency: limits.firstTokenSeconds + outputTokens * limits.tokenSeconds,
          deadline: limits.deadlineSeconds,
          collective: limits.collectiveSeconds,
        }[kind],
      }),
    };
  };
}

/**
 * Draws how many images a program's first request has.
 * @throws RangeError for a least number above the most
 */
export function imageSampler(images: SyntheticImages, random: Random): () => number {
  if (images.type === 'none') return () => 0;
  const { least, most } = images;
  if (least > most) throw new RangeError(`invalid least: ${least} (expected at most ${most})`);
  return () => random.integer(least, most);
}
