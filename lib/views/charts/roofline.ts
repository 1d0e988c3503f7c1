import type { ViewInput } from '../view-input';
import type { Chart } from './marks';
import { placeLabels } from './place-labels';
import { type RoofPoint, roofsOf } from './roofs';
import { isRound } from './round-ticks';

const HEIGHT = 260;
const MARGIN = { marginTop: 20, marginRight: 20, marginBottom: 30, marginLeft: 52 } as const;

const seriesColor = (i: number) => `var(--series-${(i % 8) + 1})`;

/** Each kernel as a point under the highest measured roof of what it ran on. */
export function rooflineChart(inputs: readonly ViewInput[]): Chart | undefined {
  const { points, roofs } = roofsOf(inputs);
  if (points.length === 0) return undefined;
  const color = (name: string) => seriesColor(roofs.findIndex((roof) => roof.name === name));
  const across = [
    ...roofs.map(({ ridge }) => ridge),
    ...points.map(({ flopsPerByte }) => flopsPerByte),
  ];
  const left = Math.min(...across) / 4;
  const right = Math.max(...across) * 4;
  const lowest = points.map((each) => each.gigaflopsPerSecond).filter((each) => each > 0);
  const bottom = Math.min(...lowest, ...roofs.map(({ peak }) => peak)) / 2;
  const top = Math.max(...roofs.map(({ peak }) => peak)) * 2;
  return {
    name: 'attention-roofline',
    rows: points.map((point) => ({ ...point })),
    isFixed: true,
    description: `Kernels under the highest roofs measured here: ${points.map(pointText).join(', ')}`,
    options: (Plot, width) => ({
      style: { background: 'none', color: 'var(--ink)' },
      ...MARGIN,
      height: HEIGHT,
      width,
      x: {
        type: 'log',
        label: 'arithmetic intensity (FLOP per byte that must move)',
        domain: [left, right],
        tickFormat: (value: number) => (isRound(value) ? String(value) : ''),
        grid: true,
      },
      y: { type: 'log', label: 'GFLOP/s', domain: [bottom, top], grid: true },
      marks: [
        ...roofs.flatMap(({ name, peak, gigabytesPerSecond, ridge }) => [
          Plot.line(
            [
              { x: left, y: left * gigabytesPerSecond },
              { x: ridge, y: peak },
              { x: right, y: peak },
            ],
            { x: 'x', y: 'y', stroke: color(name), strokeWidth: 2, clip: true },
          ),
          Plot.text([{ x: right, y: peak }], {
            x: 'x',
            y: 'y',
            text: () => `roof of ${name}`,
            textAnchor: 'end',
            dy: -7,
          }),
        ]),
        Plot.dot(points, {
          x: 'flopsPerByte',
          y: 'gigaflopsPerSecond',
          fill: ({ roof }: RoofPoint) => color(roof),
          r: 5,
          title: pointText,
        }),
        ...labelsOf(points, { left, right, bottom, top }, width).map(({ point, dx, dy, anchor }) =>
          Plot.text([point], {
            x: 'flopsPerByte',
            y: 'gigaflopsPerSecond',
            text: 'series',
            textAnchor: anchor,
            dx,
            dy,
          }),
        ),
      ],
    }),
  };
}

/** Places of the points' names on the logarithmic axes. */
function labelsOf(
  points: readonly RoofPoint[],
  domain: {
    readonly left: number;
    readonly right: number;
    readonly bottom: number;
    readonly top: number;
  },
  width: number,
) {
  const area = {
    left: MARGIN.marginLeft,
    right: width - MARGIN.marginRight,
    top: MARGIN.marginTop,
    bottom: HEIGHT - MARGIN.marginBottom,
  };
  const share = (value: number, from: number, to: number) =>
    Math.log(value / from) / Math.log(to / from);
  const places = placeLabels(
    points.map(({ series, flopsPerByte, gigaflopsPerSecond }) => ({
      text: series,
      x: area.left + share(flopsPerByte, domain.left, domain.right) * (area.right - area.left),
      y:
        area.bottom -
        share(gigaflopsPerSecond, domain.bottom, domain.top) * (area.bottom - area.top),
    })),
    area,
  );
  return points.flatMap((point, i) => {
    const place = places[i];
    return place === undefined ? [] : [{ point, ...place }];
  });
}

/** A point in words; where a later run has lifted the roof, what it was before. */
function pointText({ series, roof, percentOfRoof, percentWhenRun }: RoofPoint): string {
  const [now, before] = [percentOfRoof.toFixed(0), percentWhenRun.toFixed(0)];
  return `${series} (${roof}) ${now} %${now === before ? '' : `, ${before} % of the roof known when it ran`}`;
}
