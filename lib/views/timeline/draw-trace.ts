import type { Turn } from '../../serving/program-turns';
import { groupOf, type TraceGroup } from '../../serving/trace/sums';
import { BAR_HEIGHT, BAR_TOP, pixelAt, type TimelineColors, type TimelineScene } from './draw';
import type { PlacedTrace } from './trace-strip';

const STRIP_HEIGHT = 5;

export function groupColor(group: TraceGroup, colors: TimelineColors): string {
  return {
    waiting: colors.queue,
    prefill: colors.prefill,
    decode: colors.decode,
    stalled: colors.stalled,
    transfer: colors.link,
  }[group];
}

/**
 * One request over the lanes that it goes through: a strip on each lane in the colour of what it
 * does there, and a line where it changes lanes. Pieces below a pixel are skipped, ends are not.
 */
export function drawTrace(
  context: CanvasRenderingContext2D,
  scene: TimelineScene,
  { trace, rowOf, turns, selected }: PlacedTrace,
  colors: TimelineColors,
): void {
  const laneY = (lane: number): number | undefined => {
    const row = rowOf.get(lane);
    const placed = row === undefined ? undefined : scene.lanes[row];
    return placed === undefined ? undefined : placed.top + BAR_TOP + BAR_HEIGHT - 2;
  };
  drawTurns(context, scene, turns, trace.id, laneY, colors);
  let before: number | undefined;
  let drawnTo = -Infinity;
  trace.phases.forEach((phase, i) => {
    const y = laneY(phase.lane);
    const left = pixelAt(phase.startSeconds, scene);
    const right = pixelAt(phase.endSeconds, scene);
    if (y !== undefined && before !== undefined && y !== before) {
      context.strokeStyle = colors.accent;
      context.lineWidth = 1.5;
      context.beginPath();
      context.moveTo(left, before + STRIP_HEIGHT / 2);
      context.lineTo(left, y + STRIP_HEIGHT / 2);
      context.stroke();
      context.lineWidth = 1;
    }
    if (y !== undefined) before = y;
    const isShown = right >= 0 && left <= scene.width && (right > drawnTo + 0.5 || i === selected);
    if (y === undefined || !isShown) return;
    drawnTo = right;
    const from = Math.max(-2, left);
    const wide = Math.max(1, Math.min(scene.width + 2, right) - from);
    context.fillStyle = groupColor(groupOf(phase.activity), colors);
    context.fillRect(from, y, wide, STRIP_HEIGHT);
    context.strokeStyle = colors.ink;
    context.globalAlpha = i === selected ? 1 : 0.35;
    context.strokeRect(from + 0.5, y + 0.5, Math.max(1, wide - 1), STRIP_HEIGHT - 1);
    context.globalAlpha = 1;
  });
}

/**
 * The program that a request is a turn of: a thin strip of each other turn where it was prefilled and
 * where it decoded, and a dashed line over each gap from one turn's end to the start of the next.
 */
function drawTurns(
  context: CanvasRenderingContext2D,
  scene: TimelineScene,
  turns: readonly Turn[],
  shown: number,
  laneY: (lane: number) => number | undefined,
  colors: TimelineColors,
): void {
  const byId = new Map(turns.map((turn) => [turn.id, turn]));
  const strip = (from: number, to: number, lane: number, color: string): void => {
    const y = laneY(lane);
    const left = pixelAt(from, scene);
    const right = pixelAt(to, scene);
    if (y === undefined || !(right >= 0 && left <= scene.width)) return;
    context.fillStyle = color;
    context.fillRect(left, y + 1, Math.max(1, right - left), STRIP_HEIGHT - 2);
  };
  for (const turn of turns) {
    if (turn.id !== shown) {
      strip(turn.firstScheduledSeconds, turn.firstTokenSeconds, turn.prefillLane, colors.prefill);
      strip(turn.firstTokenSeconds, turn.completedSeconds, turn.decodeLane, colors.decode);
    }
    const before = turn.after === undefined ? undefined : byId.get(turn.after);
    const from = before && laneY(before.decodeLane);
    const to = laneY(turn.prefillLane);
    if (before === undefined || from === undefined || to === undefined) continue;
    context.strokeStyle = colors.accent;
    context.setLineDash([3, 3]);
    context.beginPath();
    context.moveTo(pixelAt(before.completedSeconds, scene), from + STRIP_HEIGHT / 2);
    context.lineTo(pixelAt(turn.firstScheduledSeconds, scene), to + STRIP_HEIGHT / 2);
    context.stroke();
    context.setLineDash([]);
  }
}
