import type { TimelineColors } from './draw';
import { type LaneIndex, queryLane } from './lane-index';
import type { Span } from './span';

/** The whole run, one strip per lane: busy time in the colour of what it was mostly spent on. */
export function drawMinimap(
  context: CanvasRenderingContext2D,
  lanes: readonly { readonly index: LaneIndex }[],
  whole: Span,
  width: number,
  height: number,
  colors: TimelineColors,
): void {
  const each = height / Math.max(1, lanes.length);
  lanes.forEach(({ index }, l) => {
    const { busy, prefillShare } = queryLane(index, whole.start, whole.end, width);
    for (let x = 0; x < width; x++) {
      context.globalAlpha = busy[x] as number;
      context.fillStyle =
        index.lane.role === 'link'
          ? colors.link
          : index.lane.role === 'encode'
            ? colors.encode
            : (prefillShare[x] as number) > 0.5
              ? colors.prefill
              : colors.decode;
      context.fillRect(x, l * each, 1, Math.max(1, each - 1));
    }
  });
  context.globalAlpha = 1;
}
