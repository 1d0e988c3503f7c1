import type { ViewInput } from '../view-input';
import type { Chart } from './marks';
import { isRound } from './round-ticks';

const seriesColor = (i: number) => `var(--series-${(i % 8) + 1})`;

/** Each kernel as a point under the measured roof of what it ran on. */
export function rooflineChart(inputs: readonly ViewInput[]): Chart | undefined {
  const points = inputs.flatMap(({ id, result }) => {
    if (result?.output.kind !== 'attention' && result?.output.kind !== 'recurrent') return [];
    const { timing, roof, roofPlace, engine } = result.output.value;
    if (roof === undefined || roofPlace === undefined) return [];
    return [
      {
        series: id,
        engine,
        flopsPerByte: roofPlace.flopsPerByte,
        bound: roofPlace.bound,
        percentOfRoof: roofPlace.percent,
        gigaflopsPerSecond: timing.gigaflopsPerSecond,
        peak: roof.matmulGigaflopsPerSecond,
        gigabytesPerSecond: roof.copyGigabytesPerSecond,
      },
    ];
  });
  if (points.length === 0) return undefined;
  // Engines, and thread counts of one engine, have roofs of their own.
  const engines: readonly string[] = [...new Set(points.map(({ engine }) => engine))];
  const color = (engine: string) => seriesColor(engines.indexOf(engine));
  const roofs = [
    ...new Map(points.map((each) => [`${each.peak}/${each.gigabytesPerSecond}`, each])).values(),
  ].map(({ engine, peak, gigabytesPerSecond }) => ({
    engine,
    peak,
    gigabytesPerSecond,
    ridge: peak / gigabytesPerSecond,
  }));
  const across = [
    ...roofs.map(({ ridge }) => ridge),
    ...points.map(({ flopsPerByte }) => flopsPerByte),
  ];
  const left = Math.min(...across) / 4;
  const right = Math.max(...across) * 4;
  const bottom = Math.min(...points.map((each) => each.gigaflopsPerSecond)) / 2;
  const top = Math.max(...roofs.map(({ peak }) => peak)) * 2;
  return {
    name: 'attention-roofline',
    rows: points,
    isFixed: true,
    description: `Attention kernels under the roofs measured here: ${points.map((each) => `${each.series} (${each.engine}) ${each.percentOfRoof.toFixed(0)} %`).join(', ')}`,
    options: (Plot, width) => ({
      style: { background: 'none', color: 'var(--ink)' },
      marginLeft: 52,
      height: 260,
      width,
      x: {
        type: 'log',
        label: 'arithmetic intensity (FLOP per byte of Q, K, V, O)',
        domain: [left, right],
        tickFormat: (value: number) => (isRound(value) ? String(value) : ''),
        grid: true,
      },
      y: { type: 'log', label: 'GFLOP/s', domain: [bottom, top], grid: true },
      marks: [
        ...roofs.flatMap(({ engine, peak, gigabytesPerSecond, ridge }) => [
          Plot.line(
            [
              { x: left, y: left * gigabytesPerSecond },
              { x: ridge, y: peak },
              { x: right, y: peak },
            ],
            { x: 'x', y: 'y', stroke: color(engine), strokeWidth: 2, clip: true },
          ),
          Plot.text([{ x: right, y: peak }], {
            x: 'x',
            y: 'y',
            text: () => `${engine} roof`,
            textAnchor: 'end',
            dy: -7,
          }),
        ]),
        Plot.dot(points, {
          x: 'flopsPerByte',
          y: 'gigaflopsPerSecond',
          fill: ({ engine }: { engine: string }) => color(engine),
          r: 5,
        }),
        Plot.text(points, { x: 'flopsPerByte', y: 'gigaflopsPerSecond', text: 'series', dy: 13 }),
      ],
    }),
  };
}
