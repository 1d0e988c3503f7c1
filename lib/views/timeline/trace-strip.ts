import type { Turn } from '../../serving/program-turns';
import { activityText } from '../../serving/trace/sentences';
import { groupOf, type TraceGroup } from '../../serving/trace/sums';
import type { RequestTrace } from '../../serving/trace/types';
import { formatSeconds } from '../format';
import type { Span } from './span';

/** A trace on the canvas, and where on it the lanes of its run are: a lane that is not shown has no row. */
export interface PlacedTrace {
  readonly trace: RequestTrace;
  readonly rowOf: ReadonlyMap<number, number>;
  /** Other turns of its program, where it has one. */
  readonly turns: readonly Turn[];
  /** Phase under the cursor. */
  readonly selected: number | undefined;
}

/** Phases of one group side by side, as one piece of the strip. */
export interface StripPiece {
  readonly group: TraceGroup;
  readonly left: number;
  readonly width: number;
  /** The first of its phases, and how many. */
  readonly phase: number;
  readonly phases: number;
}

/** A piece below this is drawn together with its neighbours of the same group. */
const LEAST_PIXELS = 1;

/** The phases of a trace as pieces of a strip `width` pixels wide. */
export function stripPieces(
  { phases, arrivalSeconds, endSeconds }: RequestTrace,
  width: number,
): readonly StripPiece[] {
  const perSecond = width / Math.max(1e-12, endSeconds - arrivalSeconds);
  const pieces: StripPiece[] = [];
  phases.forEach((phase, i) => {
    const left = (phase.startSeconds - arrivalSeconds) * perSecond;
    const right = (phase.endSeconds - arrivalSeconds) * perSecond;
    const group = groupOf(phase.activity);
    const last = pieces.at(-1);
    const isSmall = right - left < LEAST_PIXELS || (last?.width ?? Infinity) < LEAST_PIXELS;
    if (last !== undefined && last.group === group && isSmall)
      pieces[pieces.length - 1] = { ...last, width: right - last.left, phases: last.phases + 1 };
    else pieces.push({ group, left, width: right - left, phase: i, phases: 1 });
  });
  return pieces;
}

/** The phase that covers an instant, or the nearest. */
export function phaseAt({ phases }: RequestTrace, seconds: number): number {
  let low = 0;
  let high = phases.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((phases[middle]?.startSeconds ?? Infinity) <= seconds) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** One phase as a sentence with its time. */
export function phaseText(trace: RequestTrace, i: number): string {
  const phase = trace.phases[i];
  if (phase === undefined) return '';
  const seconds = formatSeconds(phase.endSeconds - phase.startSeconds);
  const at = formatSeconds(phase.startSeconds - trace.arrivalSeconds);
  return `phase ${i + 1} of ${trace.phases.length}, ${seconds}, ${at} after arrival: ${activityText(phase.activity)}`;
}

/** The part of a run that shows one trace, with a little around it. */
export function traceSpan({ arrivalSeconds, endSeconds }: RequestTrace): Span {
  const around = Math.max(1e-3, 0.04 * (endSeconds - arrivalSeconds));
  return { start: Math.max(0, arrivalSeconds - around), end: endSeconds + around };
}

/** Every phase, units in the column names. */
export function traceCsv(trace: RequestTrace): string {
  return `${[PHASE_HEADER, ...phaseRows(trace)].join('\r\n')}\r\n`;
}

const PHASE_HEADER = 'start_s,duration_s,lane,group,activity,what';

const phaseRows = (trace: RequestTrace): readonly string[] =>
  trace.phases.map((phase) =>
    [
      phase.startSeconds,
      phase.endSeconds - phase.startSeconds,
      phase.lane,
      groupOf(phase.activity),
      phase.activity.kind,
      `"${activityText(phase.activity).replaceAll('"', '""')}"`,
    ].join(','),
  );

/** First line of a file with the phases of many requests. */
export const REASONS_HEADER = `request,end,${PHASE_HEADER}\r\n`;

/** Lines of such a file: one request that waits for nothing and does nothing has one line all the same. */
export function reasonRows(trace: RequestTrace): string {
  const { id, end } = trace;
  const rows = phaseRows(trace);
  const refusal = `"${(trace.refusal ?? '').replaceAll('"', '""')}"`;
  const told = rows.length > 0 ? rows : [`${trace.arrivalSeconds},0,-1,,${end},${refusal}`];
  return told.map((row) => `${id},${end},${row}\r\n`).join('');
}
