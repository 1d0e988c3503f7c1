/** A point of a chart with its name, in pixels. */
export interface LabelledPoint {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

/** Where a label stands, seen from its point. */
export interface LabelPlace {
  readonly dx: number;
  readonly dy: number;
  readonly anchor: 'start' | 'end';
}

export interface LabelArea {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Pixels from one label to the next, and of an average letter at 10 px. */
export const LABEL_STEP = 14;
const LETTER = 5.8;
const GAP = 9;
const DOT = 5;

/**
 * Places of labels beside their points, so that none lies on another, on a point or outside the area
 * where there is room: the first that is free of right and left of the point, each a line further
 * up or down. Where nothing is free a label stays beside its point.
 */
export function placeLabels(
  points: readonly LabelledPoint[],
  area: LabelArea,
): readonly LabelPlace[] {
  const dots = points.map(({ x, y }) => around(x, y, DOT));
  const taken: Box[] = [];
  const places = new Array<LabelPlace>(points.length);
  const fromTop = points.map((_, i) => i).sort((a, b) => points[a]!.y - points[b]!.y);
  for (const i of fromTop) {
    const point = points[i]!;
    const candidates = candidatesOf(point, area);
    const isFree = (place: LabelPlace) => {
      const box = boxOf(point, place);
      return (
        box.left >= area.left &&
        box.right <= area.right &&
        box.top >= area.top &&
        box.bottom <= area.bottom &&
        !taken.some((other) => overlaps(box, other)) &&
        !dots.some((dot, j) => j !== i && overlaps(box, dot))
      );
    };
    const place = candidates.find(isFree) ?? candidates[0]!;
    taken.push(boxOf(point, place));
    places[i] = place;
  }
  return places;
}

function candidatesOf({ x, text }: LabelledPoint, { left, right, top, bottom }: LabelArea) {
  const fitsRight = x + GAP + text.length * LETTER <= right;
  const sides =
    fitsRight || x - left < right - x ? (['start', 'end'] as const) : (['end', 'start'] as const);
  const lines = Math.ceil((bottom - top) / LABEL_STEP);
  const steps = [
    0,
    ...Array.from({ length: 2 * lines }, (_, k) => ((k >> 1) + 1) * (k % 2 ? -1 : 1)),
  ];
  return steps.flatMap((step) =>
    sides.map(
      (anchor): LabelPlace => ({
        dx: anchor === 'start' ? GAP : -GAP,
        dy: step * LABEL_STEP,
        anchor,
      }),
    ),
  );
}

/** The box of a label, a letter's width by a line. */
export function boxOf({ x, y, text }: LabelledPoint, { dx, dy, anchor }: LabelPlace): Box {
  const width = text.length * LETTER;
  const from = anchor === 'start' ? x + dx : x + dx - width;
  const half = LABEL_STEP / 2;
  return { left: from, right: from + width, top: y + dy - half, bottom: y + dy + half };
}

function around(x: number, y: number, by: number): Box {
  return { left: x - by, right: x + by, top: y - by, bottom: y + by };
}

export function overlaps(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
