import { groupOf, type TraceGroup } from '../../serving/trace/sentences';
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
  { trace, firstLane, selected }: PlacedTrace,
  colors: TimelineColors,
): void {
  const laneY = (lane: number): number | undefined => {
    const placed = scene.lanes[firstLane + lane];
    return lane < 0 || placed === undefined ? undefined : placed.top + BAR_TOP + BAR_HEIGHT - 2;
  };
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
