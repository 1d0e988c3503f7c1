'use client';

import { useCallback, useMemo, useRef, useState } from 'react';
import type { AttentionResult, BlockList } from '../../lib/attention/types';
import type { AttentionParams } from '../../lib/spec/kinds/attention';
import type { MapParams } from '../../lib/spec/kinds/views';
import type { MapElement } from '../../lib/views/map/draw';
import { canvasHeight, mapFrame } from '../../lib/views/map/frame';
import { baseLayer, subtractLayers } from '../../lib/views/map/layer';
import { readingText } from '../../lib/views/map/reading';
import {
  clampViewport,
  coversView,
  touchedRect,
  type Viewport,
  zoomViewport,
} from '../../lib/views/map/viewport';
import { MapBlocksTable } from './map-blocks-table';
import { MapCanvas } from './map-canvas';
import { saveMapCsv, saveMapPng } from './map-export';
import { MapHeads } from './map-heads';
import { MapLegend } from './map-legend';
import { MapTable } from './map-table';
import { type MapPart, MapTools } from './map-tools';
import { useTokens, useWidth } from './use-canvas';
import { useDelayed } from './use-delayed';
import { useMapBlocks } from './use-map-blocks';
import { type MapHead, useMapData } from './use-map-data';
import { useMapPicture } from './use-map-picture';
import { useMapReading } from './use-map-reading';
import styles from './views.module.css';

/** An attention cell with its result. */
export interface MapOperand {
  readonly id: string;
  readonly attention: AttentionParams;
  readonly engine: AttentionResult['engine'];
  readonly source: MapHead['source'];
  /** Changes with the attention result. */
  readonly resultKey: string;
  readonly provenanceLabel: string;
}

interface Props {
  readonly params: MapParams;
  readonly first: MapOperand;
  /** Subtracted from the first; of the same queries and keys. */
  readonly second: MapOperand | undefined;
  readonly heads: number;
  readonly batches: number;
  readonly onParamsChange: (params: MapParams) => void;
}

const COLORS = {
  ink: '--ink',
  inkSoft: '--ink-soft',
  paper: '--surface',
  accent: '--accent',
  masked: '--masked',
  maskedLine: '--masked-line',
  blockFull: '--block-full',
  blockPartial: '--block-partial',
  blockHalo: '--block-halo',
};
const WIDEST = 640;

/** The attention map of one head, or of the difference of two: a reduction of the whole, and exact values where it is zoomed in. */
export function MapView({ params, first, second, heads, batches, onParamsChange }: Props) {
  const { queries, keys } = first.attention.shape;
  const { head, batch, aggregate, scale } = params;
  const whole: Viewport = { queryStart: 0, queryEnd: queries, keyStart: 0, keyEnd: keys };
  const [view, setView] = useState<Viewport>(() =>
    clampViewport(params.window ?? whole, queries, keys),
  );
  const [cursor, setCursor] = useState<MapElement>();
  const [hover, setHover] = useState<MapElement>();
  const [parts, setParts] = useState<ReadonlySet<MapPart>>(new Set());
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = Math.min(useWidth(box, WIDEST), WIDEST);
  const hasProfiles = parts.has('profiles');
  const frame = useMemo(
    () => mapFrame(width, queries, keys, hasProfiles),
    [width, queries, keys, hasProfiles],
  );
  const colors = useTokens(box, COLORS);

  const headOf = ({ source, resultKey }: MapOperand): MapHead => ({
    source,
    resultKey,
    batch,
    head,
    queries,
    keys,
  });
  const firstHead = headOf(first);
  const secondHead = second === undefined ? undefined : headOf(second);
  const firstData = useMapData(firstHead, view);
  const secondData = useMapData(secondHead, view);
  const { layer, exact, top, profiles } = useMapPicture(
    firstData,
    second === undefined ? undefined : secondData,
    aggregate,
    view,
    hasProfiles,
  );
  const { blocks, problem: blocksProblem } = useMapBlocks(firstHead, parts.has('blocks'));
  const { reading, read } = useMapReading(
    { head: firstHead, window: firstData.window },
    secondHead && { head: secondHead, window: secondData.window },
  );
  // Nothing is drawn of the pointer without profiles, so its moves draw nothing then.
  const pointer = hasProfiles ? hover : undefined;
  const scene = useMemo(() => {
    const height = canvasHeight(frame, hasProfiles);
    const drawn = { layer, queries, keys, exact, profiles, blocks, view, scale, top };
    return { ...drawn, frame, width, height, cursor, hover: pointer };
  }, [
    layer,
    queries,
    keys,
    exact,
    profiles,
    blocks,
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
    onParamsChange(isWhole ? rest : { ...rest, window: rounded(next) });
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
  const loadHead = async (each: number) => {
    const layers = [first, ...(second === undefined ? [] : [second])].map(async ({ source }) => {
      const lane = source.lane('heads', { isBackground: true });
      return baseLayer(await lane.base(batch, each), aggregate);
    });
    const [a, b] = await Promise.all(layers);
    if (a === undefined) throw new Error(`no map of head ${each}`);
    return b === undefined ? a : subtractLayers(a, b);
  };
  const names = second === undefined ? undefined : ([first.id, second.id] as const);
  const subject =
    names === undefined
      ? `Attention map, head ${head}`
      : `Difference of attention maps, ${names[0]} minus ${names[1]}, head ${head}`;
  const shown = touchedRect(view, queries, keys);
  const problem = firstData.problem ?? secondData.problem ?? blocksProblem;
  const cells = exact === undefined ? `${aggregate} of each cell` : 'exact values';
  const isTable = parts.has('table');
  return (
    <div ref={box}>
      <MapTools
        params={params}
        heads={heads}
        batches={batches}
        parts={parts}
        hasSelection={[first, second].some(
          (operand) => operand !== undefined && operand.attention.select.type !== 'none',
        )}
        hasPicture={layer !== undefined}
        onParamsChange={onParamsChange}
        onPart={(part) => setParts(toggled(parts, part))}
        onZoom={zoom}
        onWhole={() => move(whole)}
        onPng={() => {
          if (canvas.current === null || colors === undefined) return;
          const what = `${subject}, batch ${batch}, ${scale} scale, ${cells}`;
          const labels = [first, second].flatMap((operand) => operand?.provenanceLabel ?? []);
          const origin = `${[...new Set(labels)].join(' and ')} · seed ${first.attention.seed}`;
          void saveMapPng(canvas.current, width, colors, [what, origin], head);
        }}
        onCsv={() => void saveMapCsv(firstHead, secondHead, shown)}
      />
      {problem !== undefined && <p role="alert">{problem}</p>}
      {parts.has('heads') && (
        <MapHeads
          heads={heads}
          head={head}
          batch={batch}
          queries={queries}
          keys={keys}
          of={`${first.resultKey} ${second?.resultKey ?? ''} ${batch}`}
          load={loadHead}
          aggregate={aggregate}
          scale={scale}
          colors={colors}
          onPick={(next) => onParamsChange({ ...params, head: next })}
        />
      )}
      {isTable ? (
        <>
          <MapTable first={firstHead} second={secondHead} rect={shown} />
          {blocks !== undefined && (
            <MapBlocksTable list={blocks.list} rect={shown} queries={queries} />
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
          {layer === undefined && problem === undefined && <p>computing the map</p>}
        </div>
      )}
      <p className={styles.readout} aria-live="polite" data-testid="map-readout">
        {reading !== undefined && readingText(reading, names ?? ['', ''], profiles, blocks?.list)}
      </p>
      {!isTable && (
        <MapLegend
          scale={scale}
          top={top}
          cells={cells}
          names={names}
          profiles={
            profiles &&
            (exact !== undefined && coversView(exact.rect, view) ? 'exact' : 'estimated')
          }
          paper={colors?.paper}
          blocks={blocks && blocksText(first, names !== undefined, blocks.list)}
        />
      )}
    </div>
  );
}

/** What the outlines are of. */
function blocksText(
  { id, engine }: MapOperand,
  isDifference: boolean,
  { blockQueries, blockKeys }: BlockList,
): string {
  const tile = `${blockQueries} queries x ${blockKeys} keys`;
  // The CPU reference goes by elements; its list is only counted.
  const what =
    engine === 'cpu' ? `as a kernel with blocks of ${tile} would` : `visited: blocks of ${tile}`;
  return isDifference ? `${what}, of ${id}` : what;
}

function toggled(parts: ReadonlySet<MapPart>, part: MapPart): ReadonlySet<MapPart> {
  return new Set(parts.has(part) ? [...parts].filter((on) => on !== part) : [...parts, part]);
}

/** A view as it is written into the document. */
function rounded({ queryStart, queryEnd, keyStart, keyEnd }: Viewport): Viewport {
  const round = (x: number) => Number(x.toFixed(3));
  return {
    queryStart: round(queryStart),
    queryEnd: round(queryEnd),
    keyStart: round(keyStart),
    keyEnd: round(keyEnd),
  };
}
