import type { Viewport } from './viewport';

/** Room for the axes. */
const LEFT = 46;
const TOP = 18;
/** Depth of a profile beside the map, gap included. */
export const PROFILE_PIXELS = 58;
/** Room above the map for labels of positions. */
export const LABEL_PIXELS = 16;
/** Room above and at the left of the map for tokens. */
export const TOKEN_PIXELS = 44;
const PROFILE_GAP = 6;
const LEAST_HEIGHT = 142;

/** The map's rectangle on its canvas, in CSS pixels; axes and profiles lie outside. */
export interface MapFrame {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Frame of a map as wide as the canvas allows, with square elements unless it would be too low. */
export function mapFrame(
  width: number,
  queries: number,
  keys: number,
  hasProfiles: boolean,
  hasLabels = false,
  hasTokens = false,
): MapFrame {
  const right = width - (hasProfiles ? PROFILE_PIXELS : 0);
  const left = LEFT + (hasTokens ? TOKEN_PIXELS : 0);
  const mapWidth = right - left;
  const mapHeight = Math.max(LEAST_HEIGHT, Math.min(mapWidth, (mapWidth * queries) / keys));
  const top = TOP + (hasLabels ? LABEL_PIXELS : 0) + (hasTokens ? TOKEN_PIXELS : 0);
  return { left, top, right, bottom: top + mapHeight };
}

/** Height of the canvas around a frame. */
export function canvasHeight(frame: MapFrame, hasProfiles: boolean): number {
  return frame.bottom + (hasProfiles ? PROFILE_PIXELS : 0);
}

/** The strips of the profiles: under the map along the keys, and at its right along the queries. */
export function profileFrames(frame: MapFrame): {
  readonly keys: MapFrame;
  readonly queries: MapFrame;
} {
  const { left, top, right, bottom } = frame;
  return {
    keys: { left, right, top: bottom + PROFILE_GAP, bottom: bottom + PROFILE_PIXELS },
    queries: { top, bottom, left: right + PROFILE_GAP, right: right + PROFILE_PIXELS },
  };
}

/** CSS pixels per element. */
export function pixelsPer(
  { left, top, right, bottom }: MapFrame,
  view: Viewport,
): { readonly perKey: number; readonly perQuery: number } {
  return {
    perKey: (right - left) / (view.keyEnd - view.keyStart),
    perQuery: (bottom - top) / (view.queryEnd - view.queryStart),
  };
}

/** Element coordinates under a point of the canvas; outside the frame they lie outside the view. */
export function elementAt(
  x: number,
  y: number,
  frame: MapFrame,
  view: Viewport,
): { readonly query: number; readonly key: number } {
  const { perKey, perQuery } = pixelsPer(frame, view);
  return {
    key: view.keyStart + (x - frame.left) / perKey,
    query: view.queryStart + (y - frame.top) / perQuery,
  };
}
