'use client';

import { useCallback, useMemo, useRef, useState } from 'react';
import type { MapParams } from '../../lib/spec/kinds/views';
import type { MapElement } from '../../lib/views/map/draw';
import { canvasHeight, mapFrame } from '../../lib/views/map/frame';
import { readingText } from '../../lib/views/map/reading';
import {
  clampViewport,
  coversView,
  roundedViewport,
  touchedRect,
  type Viewport,
  zoomViewport,
} from '../../lib/views/map/viewport';
import { loadHeadPicture } from './load-head-picture';
import { MapBlocksTable } from './map-blocks-table';
import { MapCanvas } from './map-canvas';
import { saveMapCsv, saveMapPng } from './map-export';
import { MapHeads } from './map-heads';
import { MapLegend } from './map-legend';
import { mapNames } from './map-names';
import { headOf, type MapOperand } from './map-operand';
import { MapTable } from './map-table';
import { type MapPart, MapTools, toggled } from './map-tools';
import { MapWhy } from './map-why';
import { takenBy } from './taken-by';
import { useWidth } from './use-canvas';
import { useDelayed } from './use-delayed';
import { useMapBlocks } from './use-map-blocks';
import { useMapColors } from './use-map-colors';
import { type MapData, useMapData } from './use-map-data';
import { useMapPicture } from './use-map-picture';
import { useMapReading } from './use-map-reading';
import { usePointing } from './use-pointing';
import { useTokenLabels } from './use-token-labels';
import styles from './views.module.css';

interface Props {
  readonly params: MapParams;
  readonly first: MapOperand;
  /** Subtracted from the first; of the same queries and keys. */
  readonly second: MapOperand | undefined;
  readonly heads: number;
  readonly batches: number;
  /** Parts that are on from the start. */
  readonly shows?: readonly MapPart[];
  readonly onParamsChange: (params: MapParams) => void;
}

const WIDEST = 640;

/** The map of one head, or of the difference of two: a reduction of the whole, and exact values where it is zoomed in. */
export function MapView(props: Props) {
  const { params, first, second, heads, batches, shows = [], onParamsChange } = props;
  const { queries, keys, attention, words, isSigned, stateOf } = first;
  const { aggregate, scale } = params;
  // An input that changed its shape may have fewer of them than the params ask for.
  const head = Math.min(params.head, heads - 1);
  const batch = Math.min(params.batch, batches - 1);
  const whole: Viewport = { queryStart: 0, queryEnd: queries, keyStart: 0, keyEnd: keys };
  const [view, setView] = useState<Viewport>(() =>
    clampViewport(params.window ?? whole, queries, keys),
  );
  const [cursor, setCursor] = useState<MapElement>();
  const [hover, setHover] = useState<MapElement>();
  const [parts, setParts] = useState<ReadonlySet<MapPart>>(() => new Set(shows));
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = Math.min(useWidth(box, WIDEST), WIDEST);
  const hasProfiles = parts.has('profiles');
  const { labels, labelOf } = useTokenLabels(first, batch);
  const hasLabels = labels !== undefined;
  const tokens = first.tokens ?? attention?.tokens;
  const hasTokens = tokens !== undefined;
  const frame = useMemo(
    () => mapFrame(width, queries, keys, hasProfiles, hasLabels, hasTokens),
    [width, queries, keys, hasProfiles, hasLabels, hasTokens],
  );
  const colors = useMapColors(box);

  const firstHead = headOf(first, batch, head);
  const secondHead = second === undefined ? undefined : headOf(second, batch, head);
  const firstData = useMapData(firstHead, view);
  const secondData = useMapData(secondHead, view);
  const { layer, exact, top, profiles } = useMapPicture(
    firstData,
    second === undefined ? undefined : secondData,
    aggregate,
    view,
    hasProfiles,
    [isSigned, second?.isSigned ?? false],
  );
  const { blocks, problem: blocksProblem } = useMapBlocks(
    firstHead,
    words !== undefined && (parts.has('blocks') || parts.has('why')),
  );
  const overlay = words !== undefined && parts.has('blocks') ? blocks : undefined;
  const { reading, read } = useMapReading(
    { head: firstHead, window: firstData.window },
    secondHead && { head: secondHead, window: secondData.window },
  );
  usePointing(first.id, second?.id, hover ?? cursor);
  // Nothing is drawn of the pointer without profiles, so its moves draw nothing then.
  const pointer = hasProfiles ? hover : undefined;
  const scene = useMemo(() => {
    const height = canvasHeight(frame, hasProfiles);
    const drawn = {
      layer,
      queries,
      keys,
      exact,
      profiles,
      blocks: overlay,
      labels,
      tokens,
      view,
      scale,
      top,
    };
    return { ...drawn, frame, width, height, cursor, hover: pointer };
  }, [
    layer,
    queries,
    keys,
    exact,
    profiles,
    overlay,
    labels,
    tokens,
    view,
    scale,
    top,
    frame,
    width,
    hasProfiles,
    cursor,
    pointer,
  ]);

  const report = useDelayed((next: Viewport) => {
    const { window: _, ...rest } = params;
    const isWhole =
      next.queryEnd - next.queryStart >= queries && next.keyEnd - next.keyStart >= keys;
    onParamsChange(isWhole ? rest : { ...rest, window: roundedViewport(next) });
  });
  const move = useCallback(
    (next: Viewport) => {
      setView(next);
      report(next);
    },
    [report],
  );
  const zoom = (factor: number) => {
    const query = (view.queryStart + view.queryEnd) / 2;
    const key = (view.keyStart + view.keyEnd) / 2;
    move(zoomViewport(view, factor, query, key, queries, keys));
  };
  const { names, subject, fileName, valueName, origin } = mapNames(first, second, head);
  const shown = touchedRect(view, queries, keys);
  const problem = firstData.problem ?? secondData.problem ?? blocksProblem;
  const everyQuery = firstData.everyQuery ?? secondData.everyQuery;
  const cells =
    exact !== undefined
      ? 'exact values'
      : everyQuery !== undefined
        ? `${aggregate} of each cell over one query of ${everyQuery}`
        : `${aggregate} of each cell`;
  const isTable = parts.has('table');
  const headGrid = parts.has('heads') && heads > 1 && (
    <MapHeads
      heads={heads}
      head={head}
      batch={batch}
      queries={queries}
      keys={keys}
      of={`${first.resultKey} ${second?.resultKey ?? ''} ${batch}`}
      load={(each) => loadHeadPicture(first, second, batch, each, aggregate)}
      takenBy={(each) => takenBy(first, batch, each) ?? takenBy(second, batch, each)}
      aggregate={aggregate}
      scale={scale}
      colors={colors}
      isTable={isTable}
      onPick={(next) => onParamsChange({ ...params, head: next })}
    />
  );
  return (
    <div ref={box}>
      <MapTools
        params={params}
        heads={heads}
        batches={batches}
        parts={parts}
        hasSelection={[first, second].some(
          (operand) => (operand?.attention?.params.select.type ?? 'none') !== 'none',
        )}
        offers={(part) => {
          if (part === 'blocks') return words !== undefined;
          return part === 'why' ? attention !== undefined : part !== 'heads' || heads > 1;
        }}
        hasPicture={layer !== undefined && everyQuery === undefined}
        words={words}
        onParamsChange={onParamsChange}
        onPart={(part) => setParts(toggled(parts, part))}
        onZoom={zoom}
        onWhole={() => move(whole)}
        onPng={() => {
          if (canvas.current === null || colors === undefined) return;
          const what = `${subject}, batch ${batch}, ${scale} scale, ${cells}`;
          void saveMapPng(canvas.current, width, colors, [what, origin], fileName);
        }}
        onCsv={() => void saveMapCsv(firstHead, secondHead, shown, fileName, valueName)}
      />
      {problem !== undefined && <p role="alert">{problem}</p>}
      {!isTable && headGrid}
      {isTable ? (
        <>
          <MapTable
            first={firstHead}
            second={secondHead}
            rect={shown}
            labelOf={labelOf}
            profiles={profiles}
          />
          {overlay !== undefined && words !== undefined && (
            <MapBlocksTable
              list={overlay.list}
              rect={shown}
              queries={queries}
              words={words}
              nameOf={labelOf.query}
            />
          )}
        </>
      ) : (
        <div className={styles.map}>
          <MapCanvas
            canvas={canvas}
            scene={scene}
            subject={subject}
            colors={colors}
            onMove={move}
            onRead={read}
            onHover={setHover}
            onCursor={setCursor}
          />
          {(layer === undefined || everyQuery !== undefined) && problem === undefined && (
            <p>
              computing the map{progressText(firstData, secondData)}
              {everyQuery !== undefined && `; so far from one query of ${everyQuery}`}
            </p>
          )}
        </div>
      )}
      {isTable && headGrid}
      <p className={styles.readout} aria-live="polite" data-testid="map-readout">
        {reading !== undefined &&
          readingText(reading, names ?? ['', ''], profiles, overlay?.list, labelOf, stateOf)}
      </p>
      {parts.has('why') && attention !== undefined && (
        <MapWhy
          id={first.id}
          attention={attention.params}
          summary={attention.blockList}
          head={firstHead}
          list={blocks?.list}
          reading={reading}
        />
      )}
      {!isTable && (
        <MapLegend
          scale={scale}
          top={top}
          cells={cells}
          names={names}
          isSigned={isSigned}
          profiles={
            profiles &&
            (exact !== undefined && coversView(exact.rect, view) ? 'exact' : 'estimated')
          }
          paper={colors?.paper}
          blocks={
            overlay &&
            words && {
              words,
              of: words.text(attention?.engine, overlay.list, names === undefined ? '' : first.id),
            }
          }
        />
      )}
    </div>
  );
}

/** Share of a base that takes long; of two, the one that is behind. */
function progressText(...data: readonly MapData[]): string {
  if (data.some(({ isWaiting }) => isWaiting)) return ' after the job that goes on';
  const fractions = data.flatMap(({ progress }) => progress ?? []);
  return fractions.length === 0 ? '' : `, ${Math.floor(100 * Math.min(...fractions))} %`;
}
