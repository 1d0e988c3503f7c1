'use client';

import { type KeyboardEvent, memo, type PointerEvent, useMemo, useRef } from 'react';
import { preemptionText, traceSummary } from '../../lib/serving/trace/sentences';
import { TRACE_GROUPS, traceSums } from '../../lib/serving/trace/sums';
import type { RequestTrace } from '../../lib/serving/trace/types';
import { formatPercent, formatSeconds } from '../../lib/views/format';
import { phaseAt, phaseText, stripPieces } from '../../lib/views/timeline/trace-strip';
import { useWidth } from './use-canvas';
import styles from './views.module.css';

const HEIGHT = 22;
const SHOWN_PREEMPTIONS = 5;
/** Narrower pieces have no edge: it would be most of what is seen of them. */
const LEAST_EDGED_PIXELS = 8;

interface Props {
  readonly runId: string;
  readonly trace: RequestTrace;
  readonly selected: number | undefined;
  readonly onSelect: (phase: number) => void;
  /** Brings a phase into the timeline's view. */
  readonly onShow: (phase: number) => void;
}

/** What one request went through, as a strip from its arrival to its end. */
export const TraceStrip = memo(function TraceStrip({
  runId,
  trace,
  selected,
  onSelect,
  onShow,
}: Props) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box, 600);
  const pieces = useMemo(() => stripPieces(trace, width), [trace, width]);
  const sums = useMemo(() => traceSums(trace), [trace]);
  const total = trace.endSeconds - trace.arrivalSeconds;
  const move = (to: number) => onSelect(Math.max(0, Math.min(trace.phases.length - 1, to)));
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = selected ?? -1;
    const acts: Readonly<Record<string, () => void>> = {
      ArrowRight: () => move(at + 1),
      ArrowLeft: () => move(at - 1),
      Home: () => move(0),
      End: () => move(trace.phases.length - 1),
      Enter: () => selected !== undefined && onShow(selected),
    };
    const act = acts[event.key];
    if (act === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };
  const onPointer = (event: PointerEvent<SVGSVGElement>) => {
    const x = event.clientX - event.currentTarget.getBoundingClientRect().left;
    onSelect(phaseAt(trace, trace.arrivalSeconds + (x / width) * total));
  };
  const chosen = selected === undefined ? undefined : trace.phases[selected];
  const x = (seconds: number) => ((seconds - trace.arrivalSeconds) / total) * width;
  return (
    <div ref={box}>
      <p className={styles.answer} data-testid="trace-summary">
        {runId}: {traceSummary(trace, formatSeconds)}.
      </p>
      {trace.phases.length > 0 && (
        <>
          <div
            role="application"
            aria-label={`request ${trace.id}: ${trace.phases.length} phases over ${formatSeconds(total)}. Left and right step, Enter shows the phase on the timeline.`}
            // biome-ignore lint/a11y/noNoninteractiveTabindex: an application with a cursor of its own
            tabIndex={0}
            onKeyDown={onKeyDown}
          >
            <svg
              className={styles.strip}
              width={width}
              height={HEIGHT}
              aria-hidden="true"
              onPointerDown={onPointer}
              onPointerMove={(event) => event.buttons > 0 && onPointer(event)}
            >
              {pieces.map((piece) => (
                <rect
                  key={piece.phase}
                  data-group={piece.group}
                  data-wide={piece.width >= LEAST_EDGED_PIXELS}
                  x={piece.left}
                  width={Math.max(0.5, piece.width)}
                  y={2}
                  height={HEIGHT - 4}
                />
              ))}
              {chosen !== undefined && (
                <rect
                  className={styles.stripCursor}
                  x={x(chosen.startSeconds) - 1}
                  width={Math.max(3, x(chosen.endSeconds) - x(chosen.startSeconds) + 2)}
                  y={1}
                  height={HEIGHT - 2}
                />
              )}
            </svg>
          </div>
          <ul className={styles.legend}>
            {TRACE_GROUPS.filter((group) => sums.groups[group] > 0).map((group) => (
              <li key={group}>
                <span className={styles.swatch} data-role={group} />
                {group} {formatSeconds(sums.groups[group])} (
                {formatPercent(sums.groups[group] / total)})
              </li>
            ))}
          </ul>
          <p className={styles.readout} aria-live="polite" data-testid="trace-phase">
            {selected === undefined ? '' : phaseText(trace, selected)}
          </p>
          {sums.reasons.length > 0 && (
            <p className={styles.note}>
              waited for:{' '}
              {sums.reasons
                .map(({ reason, seconds }) => `${reason} ${formatSeconds(seconds)}`)
                .join(', ')}
            </p>
          )}
          {trace.preemptions.length > 0 && (
            <ul className={styles.note}>
              {trace.preemptions.slice(0, SHOWN_PREEMPTIONS).map((each) => (
                <li key={each.atSeconds}>
                  {formatSeconds(each.atSeconds - trace.arrivalSeconds)} after arrival:{' '}
                  {preemptionText(each)}
                </li>
              ))}
              {trace.preemptions.length > SHOWN_PREEMPTIONS && (
                <li>and {trace.preemptions.length - SHOWN_PREEMPTIONS} more preemptions</li>
              )}
            </ul>
          )}
        </>
      )}
    </div>
  );
});
