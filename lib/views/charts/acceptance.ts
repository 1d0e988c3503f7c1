import type * as PlotModule from '@observablehq/plot';
import { type Interval, wilsonInterval } from '../../stats/wilson';
import { formatPercent } from '../format';

export interface PlaceAcceptance extends Interval {
  /** Place in the draft, from 1. */
  readonly place: number;
  readonly offered: number;
  /** Rounds whose every earlier guess was accepted. */
  readonly reached: number;
  readonly accepted: number;
  /** Accepted of reached; NaN where no round came that far. */
  readonly share: number;
}

/** Acceptance by place with 95 % Wilson intervals, from the counts of a profile. */
export function placesOf(profile: {
  readonly offered: readonly number[];
  readonly accepted: readonly number[];
  readonly acceptance: readonly number[];
}): readonly PlaceAcceptance[] {
  return profile.offered.map((offered, i) => {
    const accepted = profile.accepted[i]!;
    const share = profile.acceptance[i]!;
    // Reached is what the share was taken of; with none accepted it is what came through the place before.
    const reached = Number.isNaN(share)
      ? 0
      : share > 0
        ? Math.round(accepted / share)
        : Math.min(offered, i === 0 ? offered : profile.accepted[i - 1]!);
    return {
      place: i + 1,
      offered,
      reached,
      accepted,
      share,
      ...wilsonInterval(accepted, reached),
    };
  });
}

/** What the chart says, for those who do not see it. */
export function acceptanceLabel(places: readonly PlaceAcceptance[]): string {
  const each = places
    .filter(({ reached }) => reached > 0)
    .map(({ place, share }) => `${formatPercent(share)} at ${place}`);
  return `acceptance by place in the draft: ${each.length === 0 ? 'nothing was drafted' : each.join(', ')}`;
}

/** Bars of acceptance given that every place before was accepted. */
export function acceptanceChart(
  Plot: typeof PlotModule,
  places: readonly PlaceAcceptance[],
  width: number,
): PlotModule.PlotOptions {
  const reached = places.filter((place) => place.reached > 0);
  return {
    width: Math.min(width, 96 + 56 * places.length),
    height: 220,
    marginLeft: 56,
    marginBottom: 40,
    style: { background: 'none', color: 'var(--ink)' },
    x: {
      type: 'band',
      label: 'place in the draft',
      domain: places.map(({ place }) => place),
      padding: 0.3,
    },
    y: {
      label: 'accepted',
      domain: [0, 1],
      tickFormat: (share: number) => formatPercent(share),
      grid: true,
    },
    marks: [
      Plot.barY(reached, { x: 'place', y: 'share', fill: 'var(--accent)', fillOpacity: 0.75 }),
      Plot.ruleX(reached, { x: 'place', y1: 'low', y2: 'high', stroke: 'var(--ink)' }),
      Plot.ruleY([0], { stroke: 'var(--line-strong)' }),
    ],
  };
}
