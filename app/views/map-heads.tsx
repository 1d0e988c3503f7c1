'use client';

import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import type { HeadPattern } from '../../lib/attention/pattern-class';
import { formatPercent } from '../../lib/views/format';
import type { MapColors } from '../../lib/views/map/draw';
import type { MapLayer } from '../../lib/views/map/layer';
import { paintLayer } from '../../lib/views/map/paint';
import { rgbOf } from '../../lib/views/rgb';
import type { HeadPicture } from './load-head-picture';
import { type HeadFacts, MapHeadsTable } from './map-heads-table';
import type { TakenBy } from './taken-by';
import { preparedContext } from './use-canvas';
import styles from './views.module.css';

/** Heads on show at once: their reductions are computed one after another. */
const PAGE_HEADS = 16;
const THUMBNAIL_PIXELS = 72;
const LEAST_PIXELS = 24;

interface Drawn {
  readonly of: string;
  /** Of the heads that are drawn, in their order. */
  readonly facts: readonly HeadFacts[];
}

interface Props {
  readonly heads: number;
  readonly head: number;
  readonly batch: number;
  readonly queries: number;
  readonly keys: number;
  /** Changes with whatever `load` reads. */
  readonly of: string;
  readonly load: (head: number) => Promise<HeadPicture>;
  /** What a head selects its keys by, where heads differ in it. */
  readonly takenBy?: (head: number) => TakenBy | undefined;
  readonly aggregate: 'max' | 'mean';
  readonly scale: 'log' | 'linear';
  readonly colors: MapColors | undefined;
  /** In words and numbers instead of pictures. */
  readonly isTable: boolean;
  readonly onPick: (head: number) => void;
}

/** Small maps of the heads, sixteen at a time: arrows move among them, Enter or a click shows one. */
export function MapHeads(props: Props) {
  const { heads, head, batch, queries, keys, of, load, aggregate, scale, colors, isTable, onPick } =
    props;
  const { takenBy = () => undefined } = props;
  const [page, setPage] = useState(() => Math.floor(head / PAGE_HEADS));
  const [focus, setFocus] = useState(head);
  const [drawn, setDrawn] = useState<Drawn>();
  const [problem, setProblem] = useState<string>();
  const grid = useRef<HTMLFieldSetElement>(null);
  const start = page * PAGE_HEADS < heads ? page * PAGE_HEADS : 0;
  const end = Math.min(heads, start + PAGE_HEADS);
  const shown = Array.from({ length: end - start }, (_, i) => start + i);
  const height = Math.max(
    LEAST_PIXELS,
    Math.min(THUMBNAIL_PIXELS, Math.round((THUMBNAIL_PIXELS * queries) / keys)),
  );
  const picture = `${of} ${start} ${aggregate} ${scale}`;

  // biome-ignore lint/correctness/useExhaustiveDependencies: `picture` stands for what `load` reads
  useEffect(() => {
    if (colors === undefined) return;
    let isCurrent = true;
    setProblem(undefined);
    setDrawn({ of: picture, facts: [] });
    const drawAll = async () => {
      const facts: HeadFacts[] = [];
      for (const [i, each] of shown.entries()) {
        const { layer, top, pattern } = await load(each);
        if (!isCurrent) return;
        const canvas = grid.current?.querySelectorAll('canvas')[i];
        if (canvas !== undefined) drawThumbnail(canvas, layer, { top, scale, height, colors });
        facts.push({ head: each, largest: largestOf(layer), pattern });
        setDrawn({ of: picture, facts: [...facts] });
      }
    };
    drawAll().catch((error: Error) => {
      if (isCurrent && error.name !== 'AbortError') setProblem(error.message);
    });
    return () => {
      isCurrent = false;
    };
  }, [picture, colors, height]);

  const facts = drawn?.of === picture ? drawn.facts : [];
  const patterns = facts.map(({ pattern }) => pattern);
  const count = patterns.length;
  const tabStop = focus >= start && focus < end ? focus : start;
  const onKeyDown = (event: KeyboardEvent<HTMLFieldSetElement>) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const buttons = [...event.currentTarget.querySelectorAll('button')];
    const first = buttons[0]?.offsetTop;
    const columns = Math.max(1, buttons.filter((button) => button.offsetTop === first).length);
    const targets: Readonly<Record<string, number>> = {
      ArrowLeft: tabStop - 1,
      ArrowRight: tabStop + 1,
      ArrowUp: tabStop - columns,
      ArrowDown: tabStop + columns,
      Home: start,
      End: end - 1,
    };
    const target = targets[event.key];
    if (target === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (target < start || target >= end) return;
    setFocus(target);
    buttons[target - start]?.focus();
  };
  const next = end < heads ? end : 0;
  return (
    <div>
      {isTable && <MapHeadsTable facts={facts} head={head} takenBy={takenBy} onPick={onPick} />}
      <fieldset
        ref={grid}
        hidden={isTable}
        className={styles.heads}
        aria-label={`Heads ${start} to ${end - 1} of batch entry ${batch}: arrows move, Enter shows a head`}
        onKeyDown={onKeyDown}
      >
        {shown.map((each, i) => (
          <button
            key={each}
            type="button"
            aria-label={headName(each, patterns[i], takenBy(each))}
            title={patterns[i] && patternText(patterns[i])}
            aria-pressed={each === head}
            aria-busy={i >= count}
            tabIndex={each === tabStop ? 0 : -1}
            onFocus={() => setFocus(each)}
            onClick={() => onPick(each)}
          >
            <canvas style={{ width: THUMBNAIL_PIXELS, height }} />
            <span aria-hidden="true">
              {each}
              <br />
              {patterns[i]?.class ?? '\u00a0'}
              {takenBy(each) !== undefined && (
                <>
                  <br />
                  <em>{takenBy(each)?.short}</em>
                </>
              )}
            </span>
          </button>
        ))}
      </fieldset>
      <p className={styles.note} aria-live="polite" data-testid="map-heads-state">
        {problem ??
          (count < shown.length
            ? `drawing heads ${start} to ${end - 1}`
            : `heads ${start} to ${end - 1} of ${heads}${patterns.some((each) => each !== undefined) ? ', named after what holds most of their probability, where that is twice what an even head would give it; diffuse otherwise' : ''}${shown.some((each) => takenBy(each) !== undefined) ? '; below it what each selects by' : ''}`)}{' '}
        {heads > PAGE_HEADS && (
          <button type="button" onClick={() => setPage(next / PAGE_HEADS)}>
            More: heads {next} to {Math.min(heads, next + PAGE_HEADS) - 1}
          </button>
        )}
      </p>
    </div>
  );
}

function headName(head: number, pattern: HeadPattern | undefined, taken: TakenBy | undefined) {
  const named = pattern === undefined ? '' : `, ${pattern.class}`;
  return `head ${head}${named}${taken === undefined ? '' : `, selects by ${taken.name}`}`;
}

const largestOf = ({ values }: MapLayer) =>
  values.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);

/** How a head's probability is shared out. */
function patternText({ shares, evenness }: HeadPattern): string {
  const parts = (['sink', 'local', 'diagonal', 'vertical', 'rest'] as const).map(
    (kind) => `${kind} ${formatPercent(shares[kind])}`,
  );
  return `${parts.join(', ')}; evenness ${evenness.toFixed(2)}`;
}

function drawThumbnail(
  canvas: HTMLCanvasElement,
  layer: MapLayer,
  {
    top,
    scale,
    height,
    colors,
  }: Pick<Props, 'scale'> & {
    readonly top: number;
    readonly height: number;
    readonly colors: MapColors;
  },
): void {
  const context = preparedContext(canvas, THUMBNAIL_PIXELS, height);
  if (context === undefined) return;
  const picture = paintLayer(
    layer,
    scale,
    top,
    rgbOf(colors.masked),
    rgbOf(colors.maskedLine),
    rgbOf(colors.paper),
    rgbOf(colors.ink),
  );
  context.imageSmoothingQuality = 'high';
  context.drawImage(picture, 0, 0, THUMBNAIL_PIXELS, height);
}
