import { formatSeconds } from '../format';
import type { ViewInput } from '../view-input';
import type { Chart } from './marks';

const seriesColor = (i: number) => `var(--series-${(i % 8) + 1})`;
const plain = { style: { background: 'none', color: 'var(--ink)' } } as const;

/** Median times of every kernel call, by cell and call. */
export function timeChart(inputs: readonly ViewInput[]): Chart | undefined {
  const rows = inputs.flatMap(({ id, result }) => {
    const output = result?.output;
    const row = (call: string, seconds: number, engine: string) => ({
      series: call === '' ? id : `${id}: ${call}`,
      milliseconds: 1000 * seconds,
      engine,
    });
    switch (output?.kind) {
      case 'attention':
      case 'recurrent':
        return [row('', output.value.timing.medianSeconds, output.value.engine)];
      case 'compose': {
        const { calls, composeSeconds, oneCallSeconds, engine } = output.value;
        return [
          ...calls.map(({ name, medianSeconds }) => row(name, medianSeconds, engine)),
          row('composing', composeSeconds, 'page'),
          ...(oneCallSeconds === undefined ? [] : [row('as one call', oneCallSeconds, engine)]),
        ];
      }
      case 'decode': {
        const { storages, engine } = output.value;
        return storages.map(({ name, timing }) => row(name, timing.medianSeconds, engine));
      }
      default:
        return [];
    }
  });
  if (rows.length === 0) return undefined;
  const engines = [...new Set(rows.map(({ engine }) => engine))];
  const most = Math.max(...rows.map(({ milliseconds }) => milliseconds));
  const inWords = (milliseconds: number) => formatSeconds(milliseconds / 1000);
  return {
    name: 'kernel-time',
    rows,
    isFixed: true,
    description: `Median time of every kernel call: ${rows.map(({ series, milliseconds, engine }) => `${series} ${inWords(milliseconds)} (${engine})`).join(', ')}`,
    options: (Plot, width) => ({
      ...plain,
      width,
      height: 60 + 40 * rows.length,
      marginLeft: 12,
      marginRight: 12,
      x: { label: 'median time (ms)', grid: true, domain: [0, most] },
      y: { label: null, axis: null, domain: rows.map(({ series }) => series), padding: 0.55 },
      marks: [
        Plot.barX(rows, {
          y: 'series',
          x: 'milliseconds',
          fill: ({ engine }: { engine: string }) => seriesColor(engines.indexOf(engine)),
        }),
        // A name beside its bar would take a narrow page's width.
        Plot.text(rows, {
          y: 'series',
          x: 0,
          text: ({ series, milliseconds, engine }: (typeof rows)[number]) =>
            `${series}, ${inWords(milliseconds)} (${engine})`,
          textAnchor: 'start',
          dy: -16,
        }),
        Plot.ruleX([0]),
      ],
    }),
  };
}
