'use client';

import { useEffect, useMemo, useRef, useState } from 'react';
import type { CacheResult } from '../../lib/evaluate/cell-result';
import type { CacheLook } from '../../lib/evaluate/look';
import type { Session } from '../../lib/run/session-types';
import {
  drawSlots,
  rankShares,
  SLOT_COLORINGS,
  type SlotColoring,
  sharesOf,
} from '../../lib/views/cache/draw-slots';
import { slotAt, slotLayout } from '../../lib/views/cache/slot-layout';
import { useCacheHead } from '../views/use-cache-head';
import { preparedContext, useTokens, useWidth } from '../views/use-canvas';
import { useDelayed } from '../views/use-delayed';
import styles from './cache.module.css';
import { SlotReaders } from './cache-slot-readers';
import { LedgerTable, SlotTable } from './cache-slot-tables';
import { type Place, StateKey, slotText } from './cache-slot-text';

const TOKENS = {
  kept: '--accent',
  merged: '--series-2',
  quantised: '--series-3',
  projected: '--series-4',
  offloaded: '--series-5',
  paper: '--masked',
  outline: '--ink',
};

const COLORING_NAMES: Readonly<Record<SlotColoring, string>> = {
  state: 'what it became',
  bytes: 'bytes',
  score: 'score of the policy, by rank in its head',
  attention: 'attention of the question',
  age: 'age',
};

interface Props {
  readonly cellId: string;
  readonly result: CacheResult;
  /** Changes with the result. */
  readonly resultKey: string;
  readonly session: Session;
}

/** Every slot of one context under one policy: a row per layer and KV head, a column per token. */
export function CacheSlots(props: Props) {
  const { runs } = props.result;
  const looked = runs.flatMap((run) =>
    run.look === undefined ? [] : [{ label: run.label, look: run.look, entry: runs.indexOf(run) }],
  );
  const [label, setLabel] = useState<string>();
  const chosen = looked.find((each) => each.label === label) ?? looked.at(-1);
  // Apart, so that what watches the canvas begins when there is one: a partial result has none at first.
  return chosen === undefined ? null : (
    <Slots {...props} chosen={chosen} looked={looked} onPick={setLabel} />
  );
}

interface Looked {
  readonly label: string;
  readonly look: CacheLook;
  /** Place among the runs. */
  readonly entry: number;
}

interface SlotsProps extends Props {
  readonly chosen: Looked;
  readonly looked: readonly Looked[];
  readonly onPick: (label: string) => void;
}

function Slots({ cellId, result, resultKey, session, chosen, looked, onPick }: SlotsProps) {
  const { look, entry } = chosen;
  const [coloring, setColoring] = useState<SlotColoring>('state');
  const [place, setPlace] = useState<Place>({ row: 0, column: 0 });
  const [isTable, setTable] = useState(false);
  /** The sample is run again for its readers: not before somebody has pointed at a slot. */
  const [asked, setAsked] = useState<Place>();
  const ask = useDelayed(setAsked);
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useWidth(box, 320);
  const colors = useTokens(box, TOKENS);
  const shares = useMemo(() => {
    if (coloring === 'state') return undefined;
    if (coloring === 'bytes') return sharesOf(look.bytes);
    if (coloring === 'score') return rankShares(look.scores, look.contextTokens);
    if (coloring === 'attention') return sharesOf(result.attention);
    return Float32Array.from(
      { length: look.states.length },
      (_, at) => 1 - (at % look.contextTokens) / look.contextTokens,
    );
  }, [look, coloring, result.attention]);
  const layout = useMemo(
    () => slotLayout(look.layers, look.kvHeads, look.contextTokens, width),
    [look, width],
  );
  const { kvHeads } = look;
  const askedHead = useMemo(
    () =>
      asked === undefined
        ? undefined
        : { entry, layer: Math.floor(asked.row / kvHeads), kvHead: asked.row % kvHeads },
    [asked, entry, kvHeads],
  );
  const { loaded, problem } = useCacheHead(session, cellId, resultKey, askedHead, 'slots');
  useEffect(() => {
    if (colors === undefined) return;
    const context = canvas.current && preparedContext(canvas.current, layout.width, layout.height);
    if (!context) return;
    const { kept, merged, quantised, projected, offloaded, paper, outline } = colors;
    drawSlots(
      context,
      layout,
      { states: look.states, shares, marked: place, evidence: result.evidence },
      {
        states: [kept, merged, quantised, projected, offloaded],
        paper,
        accent: kept,
        outline,
      },
    );
  }, [layout, look, colors, shares, place, result.evidence]);

  const { rows, columns } = layout;
  const marked = {
    row: Math.min(place.row, rows - 1),
    column: Math.min(place.column, columns - 1),
  };
  const move = (row: number, column: number) => {
    const next = {
      row: Math.max(0, Math.min(rows - 1, row)),
      column: Math.max(0, Math.min(columns - 1, column)),
    };
    setPlace(next);
    ask(next);
  };
  const head = loaded?.place.entry === entry ? loaded.head : undefined;
  const isHere = head !== undefined && head.layer * kvHeads + head.kvHead === marked.row;
  return (
    <figure className={styles.slots}>
      <figcaption>
        <strong>Slots of sample {result.params.look.sample}</strong>, a row per layer and KV head, a
        column per token; the framed columns hold the answer. Arrow keys and clicks move.
      </figcaption>
      <div className={styles.choice}>
        <label>
          policy{' '}
          <select value={chosen.label} onChange={({ target }) => onPick(target.value)}>
            {looked.map((each) => (
              <option key={each.label}>{each.label}</option>
            ))}
          </select>
        </label>
        <label>
          colour{' '}
          <select
            value={coloring}
            onChange={({ target }) => setColoring(target.value as SlotColoring)}
          >
            {SLOT_COLORINGS.map((each) => (
              <option key={each} value={each}>
                {COLORING_NAMES[each]}
              </option>
            ))}
          </select>
        </label>
        <label>
          <input
            type="checkbox"
            checked={isTable}
            onChange={({ target }) => setTable(target.checked)}
          />{' '}
          as a table
        </label>
      </div>
      {coloring === 'state' && <StateKey states={look.states} />}
      <p className={styles.answer}>
        asked <code>{result.questionLabels.join(' ')}</code>, answer{' '}
        <code>{result.answerLabels.join(' ')}</code>, {chosen.label} wrote{' '}
        <code>{result.generatedLabels[entry]?.join(' ') || '(nothing)'}</code>
      </p>
      <div
        ref={box}
        className={styles.canvas}
        hidden={isTable}
        role="application"
        aria-label={`slots of ${chosen.label}; arrow keys move, the line below says what is there`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: an application with a cursor of its own
        tabIndex={0}
        onKeyDown={(event) => {
          const step = event.shiftKey ? 16 : 1;
          const moves: Readonly<Record<string, readonly [number, number]>> = {
            ArrowUp: [-1, 0],
            ArrowDown: [1, 0],
            ArrowLeft: [0, -step],
            ArrowRight: [0, step],
            Home: [0, -columns],
            End: [0, columns],
          };
          const by = moves[event.key];
          if (by === undefined) return;
          event.preventDefault();
          event.stopPropagation();
          move(marked.row + by[0], marked.column + by[1]);
        }}
      >
        <canvas
          ref={canvas}
          style={{ width: layout.width, height: layout.height }}
          onPointerDown={(event) => {
            const { left, top } = event.currentTarget.getBoundingClientRect();
            const found = slotAt(layout, event.clientX - left, event.clientY - top);
            if (found !== undefined) move(found.row, found.column);
          }}
        />
      </div>
      {isTable ? (
        <SlotTable look={look} attention={result.attention} />
      ) : (
        <p className={styles.reading} aria-live="polite">
          {slotText(result, entry, marked)}
        </p>
      )}
      {isHere ? (
        <SlotReaders head={head} column={marked.column} />
      ) : (
        <p className={styles.note}>
          {problem ??
            (asked === undefined
              ? 'point at a slot to see since when it is what it is, and who attends to it'
              : 'running the sample again')}
        </p>
      )}
      <LedgerTable look={look} />
    </figure>
  );
}
