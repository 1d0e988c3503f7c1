import type * as PlotModule from '@observablehq/plot';
import type { MassByQuery } from '../../attention/compose/result';

type Plot = typeof PlotModule;

export interface MassRow {
  readonly position: number;
  readonly name: string;
  readonly share: number;
}

/** A name is written into its area where the area is at least this high. */
const LABELLED_SHARE = 0.12;

export const massColor = (name: number) => `var(--series-${(name % 8) + 1})`;

/** One row per bin and name, in the order of the stack. */
export function massRows({ names, positions, shares }: MassByQuery): readonly MassRow[] {
  return names.flatMap((name, i) =>
    Array.from(positions, (position, bin) => ({
      position,
      name,
      share: shares[i * positions.length + bin]!,
    })),
  );
}

/** Where each name's area is highest, and the middle of it there; for areas that can hold a label. */
export function massLabels(mass: MassByQuery): readonly (MassRow & { readonly middle: number })[] {
  const { names, positions, shares } = mass;
  const bins = positions.length;
  // Text at the ends of the axis would be cut.
  const margin = Math.floor(bins / 4);
  return names.flatMap((name, i) => {
    let best = margin;
    for (let bin = margin; bin < bins - margin; bin++) {
      if (shares[i * bins + bin]! > shares[i * bins + best]!) best = bin;
    }
    const share = shares[i * bins + best]!;
    if (share < LABELLED_SHARE) return [];
    let below = 0;
    for (let other = 0; other < i; other++) below += shares[other * bins + best]!;
    return [{ position: positions[best]!, name, share, middle: below + share / 2 }];
  });
}

/** Stacked areas of softmax mass by query. */
export function massPlot(Plot: Plot, mass: MassByQuery, width: number): PlotModule.PlotOptions {
  const order = [...mass.names];
  return {
    style: { background: 'none', color: 'var(--ink)' },
    width,
    height: 220,
    marginLeft: 52,
    x: { label: 'query position', grid: true },
    y: { label: 'share of the softmax mass (%)', percent: true, domain: [0, 100] },
    color: { domain: order, range: order.map((_, i) => massColor(i)) },
    marks: [
      Plot.areaY(massRows(mass), {
        x: 'position',
        y: 'share',
        fill: 'name',
        order,
        curve: 'step-after',
        stroke: 'var(--surface)',
        strokeWidth: 0.5,
      }),
      Plot.text(massLabels(mass), {
        x: 'position',
        y: 'middle',
        text: 'name',
        fill: 'var(--surface)',
        fontWeight: 600,
      }),
      Plot.ruleY([0]),
    ],
  };
}
