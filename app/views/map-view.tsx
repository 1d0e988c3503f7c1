'use client';

import {
  type KeyboardEvent,
  type PointerEvent,
  useCallback,
  useEffect,
  useRef,
  useState,
} from 'react';
import { MAP_CELLS } from '../../lib/attention/map';
import type { MapBase, MapWindow } from '../../lib/attention/types';
import type { MapSource } from '../../lib/run/session-types';
import type { AttentionParams } from '../../lib/spec/kinds/attention';
import type { MapParams } from '../../lib/spec/kinds/views';
import { legendGradient, legendTicks } from '../../lib/views/map/color';
import { drawMap, elementAt, LEFT, scaleTop, TOP } from '../../lib/views/map/draw';
import {
  clampViewport,
  panViewport,
  touchedRect,
  type Viewport,
  zoomViewport,
} from '../../lib/views/map/viewport';
import { saveBlob, saveText } from '../state/save';
import { preparedContext, readTokens, useThemeVersion, useWidth } from './use-canvas';
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
const TABLE_CELLS = 12;
const REPORT_MILLISECONDS = 300;

const rgb = (color: string): number[] => (color.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);

/** The attention map of one head: a reduction of the whole, and exact values where it is zoomed in. */
export function MapView({
  params,
  attention,
  source,
  resultKey,
  provenanceLabel,
  onParamsChange,
}: Props) {
  const { queries, keys, queryHeads, batch } = attention.shape;
  const whole: Viewport = { queryStart: 0, queryEnd: queries, keyStart: 0, keyEnd: keys };
  const [view, setView] = useState<Viewport>(() =>
    clampViewport(params.window ?? whole, queries, keys),
  );
  const [base, setBase] = useState<MapBase>();
  const [window, setWindow] = useState<MapWindow>();
  const [problem, setProblem] = useState<string>();
  const [cursor, setCursor] = useState<{ query: number; key: number }>();
  const [value, setValue] = useState('');
  const [isTable, setTable] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const drag = useRef<{ x: number; y: number; view: Viewport } | undefined>(undefined);
  const available = useWidth(box, 600);
  const width = Math.min(available, 640);
  const height = Math.max(160, Math.min(width, TOP + ((width - LEFT) * queries) / keys));
  const theme = useThemeVersion();

  // biome-ignore lint/correctness/useExhaustiveDependencies: `resultKey` stands for the result behind `source`
  useEffect(() => {
    let isCurrent = true;
    setProblem(undefined);
    source.base(params.batch, params.head).then(
      (next) => isCurrent && setBase(next),
      (error: Error) => isCurrent && error.name !== 'AbortError' && setProblem(error.message),
    );
    return () => {
      isCurrent = false;
    };
  }, [resultKey, params.batch, params.head]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: as above
  useEffect(() => {
    const rect = touchedRect(view, queries, keys);
    const isExact =
      rect.queryEnd - rect.queryStart <= MAP_CELLS && rect.keyEnd - rect.keyStart <= MAP_CELLS;
    if (!isExact || base === undefined) {
      setWindow(undefined);
      return;
    }
    let isCurrent = true;
    source.window(params.batch, params.head, rect).then(
      (next) => isCurrent && setWindow(next),
      (error: Error) => isCurrent && error.name !== 'AbortError' && setProblem(error.message),
    );
    return () => {
      isCurrent = false;
    };
  }, [view, base, params.batch, params.head, resultKey]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `theme` changes what the tokens read as; `isTable` remounts the canvas
  useEffect(() => {
    const element = canvas.current;
    const host = box.current;
    if (element === null || host === null || base === undefined) return;
    const frame = requestAnimationFrame(() => {
      const context = preparedContext(element, width, height);
      if (context === undefined) return;
      const tokens = readTokens(host, COLORS);
      const colors = { ...tokens, masked: rgb(tokens.masked), maskedLine: rgb(tokens.maskedLine) };
      drawMap(
        context,
        {
          base,
          window,
          view,
          aggregate: params.aggregate,
          scale: params.scale,
          width,
          height,
          cursor,
        },
        colors,
      );
    });
    return () => cancelAnimationFrame(frame);
  }, [base, window, view, params.aggregate, params.scale, width, height, cursor, theme, isTable]);

  const report = useRef<ReturnType<typeof setTimeout>>(undefined);
  const move = useCallback(
    (next: Viewport) => {
      setView(next);
      clearTimeout(report.current);
      report.current = setTimeout(() => {
        const { window: _, ...rest } = params;
        const isWhole =
          next.queryEnd - next.queryStart >= queries && next.keyEnd - next.keyStart >= keys;
        const round = (x: number) => Number(x.toFixed(3));
        onParamsChange(
          isWhole
            ? rest
            : {
                ...rest,
                window: {
                  queryStart: round(next.queryStart),
                  queryEnd: round(next.queryEnd),
                  keyStart: round(next.keyStart),
                  keyEnd: round(next.keyEnd),
                },
              },
        );
      }, REPORT_MILLISECONDS);
    },
    [params, onParamsChange, queries, keys],
  );
  useEffect(() => () => clearTimeout(report.current), []);

  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const onWheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const { query, key } = elementAt(event.offsetX, event.offsetY, { view, width, height });
      move(zoomViewport(view, 1.0015 ** event.deltaY, query, key, queries, keys));
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, [view, width, height, queries, keys, move]);

  const exact = useRef(0);
  const read = useCallback(
    (query: number, key: number) => {
      const turn = ++exact.current;
      const rect = { queryStart: query, queryEnd: query + 1, keyStart: key, keyEnd: key + 1 };
      const words = (p: number) =>
        `query ${query}, key ${key}: ${Number.isNaN(p) ? 'masked' : p.toPrecision(4)}`;
      const inWindow =
        window !== undefined &&
        query >= window.queryStart &&
        query < window.queryEnd &&
        key >= window.keyStart &&
        key < window.keyEnd;
      if (inWindow) {
        setValue(
          words(
            window.probabilities[
              (query - window.queryStart) * (window.keyEnd - window.keyStart) +
                key -
                window.keyStart
            ] as number,
          ),
        );
        return;
      }
      source.window(params.batch, params.head, rect).then(
        ({ probabilities }) =>
          exact.current === turn && setValue(words(probabilities[0] as number)),
        () => undefined,
      );
    },
    [window, source, params.batch, params.head],
  );

  const elementUnder = (event: PointerEvent<HTMLCanvasElement>) => {
    const rect = event.currentTarget.getBoundingClientRect();
    const at = elementAt(event.clientX - rect.left, event.clientY - rect.top, {
      view,
      width,
      height,
    });
    const query = Math.floor(at.query);
    const key = Math.floor(at.key);
    return query < 0 || key < 0 || query >= queries || key >= keys ? undefined : { query, key };
  };
  const onPointerMove = (event: PointerEvent<HTMLCanvasElement>) => {
    const start = drag.current;
    if (start !== undefined) {
      const byKeys =
        ((start.x - event.clientX) / (width - LEFT)) * (start.view.keyEnd - start.view.keyStart);
      const byQueries =
        ((start.y - event.clientY) / (height - TOP)) *
        (start.view.queryEnd - start.view.queryStart);
      move(panViewport(start.view, byQueries, byKeys, queries, keys));
      return;
    }
    const under = elementUnder(event);
    if (under !== undefined) read(under.query, under.key);
  };
  const setCursorAt = (query: number, key: number) => {
    const next = {
      query: Math.max(0, Math.min(queries - 1, query)),
      key: Math.max(0, Math.min(keys - 1, key)),
    };
    setCursor(next);
    read(next.query, next.key);
    const isOut =
      next.query < view.queryStart ||
      next.query >= view.queryEnd ||
      next.key < view.keyStart ||
      next.key >= view.keyEnd;
    if (isOut) {
      move(
        panViewport(
          view,
          next.query - (view.queryStart + view.queryEnd) / 2,
          next.key - (view.keyStart + view.keyEnd) / 2,
          queries,
          keys,
        ),
      );
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { query, key } = cursor ?? {
      query: Math.floor((view.queryStart + view.queryEnd) / 2),
      key: Math.floor((view.keyStart + view.keyEnd) / 2),
    };
    const step = event.shiftKey ? 16 : 1;
    const acts = new Map<string, () => void>([
      ['ArrowUp', () => setCursorAt(query - step, key)],
      ['ArrowDown', () => setCursorAt(query + step, key)],
      ['ArrowLeft', () => setCursorAt(query, key - step)],
      ['ArrowRight', () => setCursorAt(query, key + step)],
      ['Home', () => setCursorAt(query, 0)],
      ['End', () => setCursorAt(query, keys - 1)],
      ['+', () => move(zoomViewport(view, 0.6, query, key, queries, keys))],
      ['=', () => move(zoomViewport(view, 0.6, query, key, queries, keys))],
      ['-', () => move(zoomViewport(view, 1 / 0.6, query, key, queries, keys))],
      ['0', () => move(whole)],
      ['Escape', () => setCursor(undefined)],
    ]);
    const act = acts.get(event.key);
    if (act === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };

  const corner = touchedRect(view, queries, keys);
  const small = {
    ...corner,
    queryEnd: Math.min(corner.queryEnd, corner.queryStart + (isTable ? TABLE_CELLS : CSV_CELLS)),
    keyEnd: Math.min(corner.keyEnd, corner.keyStart + (isTable ? TABLE_CELLS : CSV_CELLS)),
  };
  const exportCsv = async () => {
    const part = await source.window(params.batch, params.head, small);
    const lines = ['query,key,probability,masked'];
    const columns = part.keyEnd - part.keyStart;
    part.probabilities.forEach((p, i) => {
      const masked = Number.isNaN(p);
      lines.push(
        `${part.queryStart + Math.floor(i / columns)},${part.keyStart + (i % columns)},${masked ? '' : p},${masked ? 1 : 0}`,
      );
    });
    saveText(`${lines.join('\r\n')}\r\n`, `attention-map-head-${params.head}.csv`, 'text/csv');
  };
  const exportPng = () => {
    const drawn = canvas.current;
    if (drawn === null) return;
    const out = document.createElement('canvas');
    const ratio = drawn.width / width;
    out.width = drawn.width;
    out.height = drawn.height + 40 * ratio;
    const context = out.getContext('2d');
    const host = box.current;
    if (context === null || host === null) return;
    const tokens = readTokens(host, COLORS);
    context.fillStyle = tokens.paper;
    context.fillRect(0, 0, out.width, out.height);
    context.drawImage(drawn, 0, 0);
    context.scale(ratio, ratio);
    context.fillStyle = tokens.ink;
    context.font = '11px system-ui, sans-serif';
    context.fillText(
      `attention map, batch ${params.batch}, head ${params.head}, ${params.scale} scale, ${window === undefined ? `${params.aggregate} per cell` : 'exact'}`,
      4,
      height + 15,
    );
    context.fillText(`${provenanceLabel} · seed ${attention.seed}`, 4, height + 31, width - 8);
    out.toBlob((blob) => blob !== null && saveBlob(blob, `attention-map-head-${params.head}.png`));
  };
  const top = base === undefined ? 1 : scaleTop({ base, aggregate: params.aggregate });
  const pick = (name: 'head' | 'batch', count: number) => (
    <label>
      {name}{' '}
      <select
        value={params[name]}
        onChange={(event) => onParamsChange({ ...params, [name]: Number(event.target.value) })}
      >
        {Array.from({ length: count }, (_, i) => String(i)).map((option) => (
          <option key={option}>{option}</option>
        ))}
      </select>
    </label>
  );
  return (
    <div ref={box}>
      <div className={styles.tools}>
        {pick('head', queryHeads)}
        {batch > 1 && pick('batch', batch)}
        <label>
          cell{' '}
          <select
            value={params.aggregate}
            onChange={(event) =>
              onParamsChange({ ...params, aggregate: event.target.value as MapParams['aggregate'] })
            }
          >
            <option>max</option>
            <option>mean</option>
          </select>
        </label>
        <label>
          scale{' '}
          <select
            value={params.scale}
            onChange={(event) =>
              onParamsChange({ ...params, scale: event.target.value as MapParams['scale'] })
            }
          >
            <option>log</option>
            <option>linear</option>
          </select>
        </label>
        <button
          type="button"
          onClick={() =>
            move(
              zoomViewport(
                view,
                0.5,
                (view.queryStart + view.queryEnd) / 2,
                (view.keyStart + view.keyEnd) / 2,
                queries,
                keys,
              ),
            )
          }
        >
          Zoom in
        </button>
        <button
          type="button"
          onClick={() =>
            move(
              zoomViewport(
                view,
                2,
                (view.queryStart + view.queryEnd) / 2,
                (view.keyStart + view.keyEnd) / 2,
                queries,
                keys,
              ),
            )
          }
        >
          Zoom out
        </button>
        <button type="button" onClick={() => move(whole)}>
          Whole
        </button>
        <button type="button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          Table
        </button>
        <button type="button" disabled={base === undefined} onClick={exportPng}>
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
        <WindowTable source={source} batch={params.batch} head={params.head} rect={small} />
      ) : (
        <div
          role="application"
          aria-label={`Attention map, head ${params.head}, queries ${corner.queryStart} to ${corner.queryEnd - 1}, keys ${corner.keyStart} to ${corner.keyEnd - 1}. Arrows move the cursor, plus and minus zoom, 0 shows everything.`}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: an application with a cursor of its own
          tabIndex={0}
          onKeyDown={onKeyDown}
          style={{ width }}
        >
          <canvas
            ref={canvas}
            className={styles.canvas}
            style={{ height }}
            onPointerDown={(event) => {
              event.currentTarget.setPointerCapture(event.pointerId);
              drag.current = { x: event.clientX, y: event.clientY, view };
            }}
            onPointerMove={onPointerMove}
            onPointerUp={(event) => {
              const start = drag.current;
              drag.current = undefined;
              const under = elementUnder(event);
              if (
                start !== undefined &&
                under !== undefined &&
                Math.hypot(event.clientX - start.x, event.clientY - start.y) < 4
              )
                setCursorAt(under.query, under.key);
            }}
          />
        </div>
      )}
      <p className={styles.readout} aria-live="polite" data-testid="map-readout">
        {value}
      </p>
      <ul className={styles.legend}>
        <li>
          {params.scale} scale,{' '}
          {window === undefined ? `${params.aggregate} of each cell` : 'exact values'}:
        </li>
        <li className={styles.scale} style={{ background: legendGradient() }} aria-hidden="true" />
        <li>
          {legendTicks(params.scale, top)
            .map((tick) =>
              tick === 0 ? '0' : tick >= 0.01 ? Number(tick.toPrecision(2)) : tick.toExponential(0),
            )
            .join(' … ')}
        </li>
        <li>
          <span className={styles.swatch} data-role="masked" />
          masked, not zero
        </li>
      </ul>
    </div>
  );
}

function WindowTable({
  source,
  batch,
  head,
  rect,
}: {
  readonly source: MapSource;
  readonly batch: number;
  readonly head: number;
  readonly rect: Viewport;
}) {
  const [part, setPart] = useState<MapWindow>();
  const { queryStart, queryEnd, keyStart, keyEnd } = rect;
  useEffect(() => {
    let isCurrent = true;
    source.window(batch, head, { queryStart, queryEnd, keyStart, keyEnd }).then(
      (next) => isCurrent && setPart(next),
      () => undefined,
    );
    return () => {
      isCurrent = false;
    };
  }, [source, batch, head, queryStart, queryEnd, keyStart, keyEnd]);
  if (part === undefined) return <p className={styles.note}>reading values</p>;
  const columns = Array.from({ length: part.keyEnd - part.keyStart }, (_, i) => part.keyStart + i);
  const rows = Array.from(
    { length: part.queryEnd - part.queryStart },
    (_, i) => part.queryStart + i,
  );
  return (
    <div className={styles.scroll}>
      <table>
        <caption className={styles.note}>
          the first {TABLE_CELLS} x {TABLE_CELLS} of what is visible
        </caption>
        <thead>
          <tr>
            <th scope="col">query \ key</th>
            {columns.map((key) => (
              <th key={key} scope="col">
                {key}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((query, r) => (
            <tr key={query}>
              <th scope="row">{query}</th>
              {columns.map((key, c) => {
                const p = part.probabilities[r * columns.length + c] as number;
                return <td key={key}>{Number.isNaN(p) ? 'masked' : p.toPrecision(3)}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
