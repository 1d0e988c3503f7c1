'use client';

import { useCallback, useMemo, useRef, useState } from 'react';
import type { MapSource } from '../../lib/run/session-types';
import type { AttentionParams } from '../../lib/spec/kinds/attention';
import type { MapParams } from '../../lib/spec/kinds/views';
import { legendGradient, legendTicks } from '../../lib/views/map/color';
import { probabilityAt, windowCsv } from '../../lib/views/map/csv';
import { LEFT, scaleTop, TOP } from '../../lib/views/map/draw';
import {
  clampViewport,
  touchedRect,
  type Viewport,
  zoomViewport,
} from '../../lib/views/map/viewport';
import { saveBlob, saveText } from '../state/save';
import { MapCanvas } from './map-canvas';
import { MapTable } from './map-table';
import { useTokens, useWidth } from './use-canvas';
import { useDelayed } from './use-delayed';
import { type MapHead, useMapData } from './use-map-data';
import styles from './views.module.css';

interface Props {
  readonly params: MapParams;
  readonly attention: AttentionParams;
  readonly source: MapSource;
  /** Changes with the attention result. */
  readonly resultKey: string;
  readonly provenanceLabel: string;
  readonly onParamsChange: (params: MapParams) => void;
}

const COLORS = {
  ink: '--ink',
  inkSoft: '--ink-soft',
  paper: '--surface',
  accent: '--accent',
  masked: '--masked',
  maskedLine: '--masked-line',
};
const CSV_CELLS = 256;
const WIDEST = 640;
const LEAST_HEIGHT = 160;

const inWords = (query: number, key: number, p: number | undefined) =>
  `query ${query}, key ${key}: ${p === undefined || Number.isNaN(p) ? 'masked' : p.toPrecision(4)}`;

/** The attention map of one head: a reduction of the whole, and exact values where it is zoomed in. */
export function MapView(props: Props) {
  const { params, attention, source, resultKey, provenanceLabel, onParamsChange } = props;
  const { queries, keys, queryHeads, batch } = attention.shape;
  const whole: Viewport = { queryStart: 0, queryEnd: queries, keyStart: 0, keyEnd: keys };
  const [view, setView] = useState<Viewport>(() =>
    clampViewport(params.window ?? whole, queries, keys),
  );
  const [cursor, setCursor] = useState<{ readonly query: number; readonly key: number }>();
  const [value, setValue] = useState('');
  const [isTable, setTable] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = Math.min(useWidth(box, WIDEST), WIDEST);
  const height = Math.max(LEAST_HEIGHT, Math.min(width, TOP + ((width - LEFT) * queries) / keys));
  const colors = useTokens(box, COLORS);
  const mapHead: MapHead = {
    source,
    resultKey,
    batch: params.batch,
    head: params.head,
    queries,
    keys,
  };
  const { base, window, problem } = useMapData(mapHead, view);
  const { aggregate, scale } = params;
  const scene = useMemo(
    () => ({ base, window, view, aggregate, scale, width, height, cursor }),
    [base, window, view, aggregate, scale, width, height, cursor],
  );
  const top = useMemo(
    () => (base === undefined ? 1 : scaleTop({ base, aggregate })),
    [base, aggregate],
  );

  const report = useDelayed((next: Viewport) => {
    const { window: _, ...rest } = params;
    const isWhole =
      next.queryEnd - next.queryStart >= queries && next.keyEnd - next.keyStart >= keys;
    const round = (x: number) => Number(x.toFixed(3));
    const { queryStart, queryEnd, keyStart, keyEnd } = next;
    onParamsChange(
      isWhole
        ? rest
        : {
            ...rest,
            window: {
              queryStart: round(queryStart),
              queryEnd: round(queryEnd),
              keyStart: round(keyStart),
              keyEnd: round(keyEnd),
            },
          },
    );
  });
  const move = useCallback(
    (next: Viewport) => {
      setView(next);
      report(next);
    },
    [report],
  );
  const turn = useRef(0);
  const read = ({ query, key }: { readonly query: number; readonly key: number }) => {
    const mine = ++turn.current;
    const known = window === undefined ? undefined : probabilityAt(window, query, key);
    if (known !== undefined) return setValue(inWords(query, key, known));
    const rect = { queryStart: query, queryEnd: query + 1, keyStart: key, keyEnd: key + 1 };
    source.window(params.batch, params.head, rect).then(
      ({ probabilities }) => {
        if (turn.current === mine) setValue(inWords(query, key, probabilities[0]));
      },
      // The next reading asks again; a lost device is told by the cell itself.
      () => undefined,
    );
  };
  const zoom = (factor: number) =>
    move(
      zoomViewport(
        view,
        factor,
        (view.queryStart + view.queryEnd) / 2,
        (view.keyStart + view.keyEnd) / 2,
        queries,
        keys,
      ),
    );
  const shown = touchedRect(view, queries, keys);
  const name = `attention-map-head-${params.head}`;
  const exportCsv = async () => {
    const queryEnd = Math.min(shown.queryEnd, shown.queryStart + CSV_CELLS);
    const keyEnd = Math.min(shown.keyEnd, shown.keyStart + CSV_CELLS);
    const part = await source.window(params.batch, params.head, { ...shown, queryEnd, keyEnd });
    saveText(windowCsv(part), `${name}.csv`, 'text/csv');
  };
  const exportPng = () => {
    if (canvas.current === null || colors === undefined) return;
    const what = window === undefined ? `${aggregate} per cell` : 'exact';
    const picture = captioned(canvas.current, width, colors, [
      `attention map, batch ${params.batch}, head ${params.head}, ${scale} scale, ${what}`,
      `${provenanceLabel} · seed ${attention.seed}`,
    ]);
    picture?.toBlob((blob) => blob !== null && saveBlob(blob, `${name}.png`));
  };
  const pick = <Name extends 'head' | 'batch' | 'aggregate' | 'scale'>(
    param: Name,
    label: string,
    options: readonly MapParams[Name][],
  ) => (
    <label>
      {label}{' '}
      <select
        value={params[param]}
        onChange={(event) =>
          onParamsChange({ ...params, [param]: options[event.target.selectedIndex] })
        }
      >
        {options.map((option) => (
          <option key={option}>{option}</option>
        ))}
      </select>
    </label>
  );
  return (
    <div ref={box}>
      <div className={styles.tools}>
        {pick('head', 'head', [...Array(queryHeads).keys()])}
        {batch > 1 && pick('batch', 'batch', [...Array(batch).keys()])}
        {pick('aggregate', 'cell', ['max', 'mean'])}
        {pick('scale', 'scale', ['log', 'linear'])}
        <button type="button" onClick={() => zoom(0.5)}>
          Zoom in
        </button>
        <button type="button" onClick={() => zoom(2)}>
          Zoom out
        </button>
        <button type="button" onClick={() => move(whole)}>
          Whole
        </button>
        <button type="button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          Table
        </button>
        <button type="button" disabled={base === undefined || isTable} onClick={exportPng}>
          PNG
        </button>
        <button type="button" disabled={base === undefined} onClick={exportCsv}>
          CSV
        </button>
      </div>
      {problem !== undefined && <p role="alert">{problem}</p>}
      {base === undefined && problem === undefined && (
        <p className={styles.note}>computing the map</p>
      )}
      {isTable ? (
        <MapTable mapHead={mapHead} rect={shown} />
      ) : (
        <MapCanvas
          canvas={canvas}
          scene={scene}
          queries={queries}
          keys={keys}
          head={params.head}
          colors={colors}
          onMove={move}
          onRead={read}
          onCursor={setCursor}
        />
      )}
      <p className={styles.readout} aria-live="polite" data-testid="map-readout">
        {value}
      </p>
      <ul className={styles.legend}>
        <li>
          {scale} scale, {window === undefined ? `${aggregate} of each cell` : 'exact values'}:
        </li>
        <li className={styles.scale} style={{ background: legendGradient() }} aria-hidden="true" />
        <li>{legendTicks(scale, top).map(tickText).join(' … ')}</li>
        <li>
          <span className={styles.swatch} data-role="masked" />
          masked, not zero
        </li>
      </ul>
    </div>
  );
}

const tickText = (tick: number) =>
  tick === 0 || tick >= 0.01 ? Number(tick.toPrecision(2)) : tick.toExponential(0);

const CAPTION_HEIGHT = 40;

/** The drawn map with two lines under it that say what it is and where it comes from. */
function captioned(
  drawn: HTMLCanvasElement,
  width: number,
  { paper, ink }: { readonly paper: string; readonly ink: string },
  lines: readonly string[],
): HTMLCanvasElement | undefined {
  const out = document.createElement('canvas');
  const ratio = drawn.width / width;
  out.width = drawn.width;
  out.height = drawn.height + CAPTION_HEIGHT * ratio;
  const context = out.getContext('2d');
  if (context === null) return undefined;
  context.fillStyle = paper;
  context.fillRect(0, 0, out.width, out.height);
  context.drawImage(drawn, 0, 0);
  context.scale(ratio, ratio);
  context.fillStyle = ink;
  context.font = '11px system-ui, sans-serif';
  lines.forEach((line, i) => {
    context.fillText(line, 4, drawn.height / ratio + 15 + 16 * i, width - 8);
  });
  return out;
}
