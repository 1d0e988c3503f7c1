import type { EvictionPart } from '../../spec/kinds/serve-parts';

/** What is known when a turn has ended and its program goes on. */
export interface TurnView {
  /** Time that having its KV still there would save: to compute the context again, or to load it. */
  readonly reloadSeconds: number;
  /** Recent mean time that requests wait in the queue. */
  readonly queueSeconds: number;
  /** Its KV over that of a mean request. */
  readonly relativeSize: number;
  /** Gaps between turns seen so far, ascending. */
  readonly gapsSeconds: readonly number[];
  /** Those of the tool that the turn has called. */
  readonly toolGapsSeconds: readonly number[];
  /** Share of the memory in use. */
  readonly usedShare: number;
}

/** Gaps that must have been seen before their distribution is trusted. */
const LEAST_GAPS = 16;

/** Whether a strategy pins turns at all. */
export const pins = (part: EvictionPart): boolean =>
  part.type === 'ttl' ||
  part.type === 'utility-ttl' ||
  part.type === 'tool-ttl' ||
  (part.type === 'workflow-lru' && part.pinQuantile > 0);

/** Seconds for which the KV of a turn is pinned; 0 where the part does not pin. */
export type PinSeconds = (view: TurnView) => number;

/**
 * `utility-ttl` after Continuum (as third parties summarise it): the time t out of 0 and the gaps
 * seen that maximises P(gap <= t) x (reload + weight x queueing delay) - relative size x t.
 */
export function pinSeconds(part: EvictionPart): PinSeconds {
  if (part.type === 'ttl') return () => part.seconds;
  if (part.type === 'tool-ttl') return toolPin(part, part.quantile, part.coldStartSeconds);
  if (part.type === 'workflow-lru' && part.pinQuantile > 0)
    return toolPin(part, part.pinQuantile, 0);
  if (part.type !== 'utility-ttl') return () => 0;
  const { delayWeight, coldStartSeconds } = part;
  return ({ reloadSeconds, queueSeconds, relativeSize, gapsSeconds }) => {
    const count = gapsSeconds.length;
    if (count < LEAST_GAPS) return coldStartSeconds;
    const gain = reloadSeconds + delayWeight * queueSeconds;
    let best = 0;
    let most = 0;
    gapsSeconds.forEach((gap, i) => {
      const utility = ((i + 1) / count) * gain - relativeSize * gap;
      if (utility <= most) return;
      most = utility;
      best = gap;
    });
    return best;
  };
}

/** A quantile of the gaps of the tool, shorter as memory fills up (SAGA, as third parties summarise it). */
function toolPin(
  limits: { readonly shrinkAbove: number; readonly releaseAbove: number },
  quantile: number,
  coldStartSeconds: number,
): PinSeconds {
  const { shrinkAbove, releaseAbove } = limits;
  return ({ toolGapsSeconds, usedShare }) => {
    const count = toolGapsSeconds.length;
    const whole =
      count < LEAST_GAPS
        ? coldStartSeconds
        : (toolGapsSeconds[Math.min(count - 1, Math.ceil(quantile * count) - 1)] as number);
    if (usedShare <= shrinkAbove) return whole;
    if (usedShare >= releaseAbove) return 0;
    return (whole * (releaseAbove - usedShare)) / (releaseAbove - shrinkAbove);
  };
}
