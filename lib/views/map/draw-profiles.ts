import { rgbOf } from '../rgb';
import { scalePosition } from './color';
import { divergingColor } from './diverging';
import type { MapColors, MapScene } from './draw';
import { type MapFrame, profileFrames } from './frame';
import { type MapProfiles, type Profile, profileTop } from './profiles';

/** One profile along an axis that runs from `start` to `end` elements; bars rise across it. */
interface Strip {
  readonly profile: Profile;
  readonly frame: MapFrame;
  readonly isAlongKeys: boolean;
  readonly start: number;
  readonly end: number;
}

/** Both profiles, aligned with the map, with the cursor's and the pointer's place in them. */
export function drawProfiles(
  context: CanvasRenderingContext2D,
  scene: MapScene & { readonly profiles: MapProfiles },
  colors: MapColors,
): void {
  const { view, frame, profiles, cursor, hover } = scene;
  const frames = profileFrames(frame);
  const strips: readonly Strip[] = [
    {
      profile: profiles.keys,
      frame: frames.keys,
      isAlongKeys: true,
      start: view.keyStart,
      end: view.keyEnd,
    },
    {
      profile: profiles.queries,
      frame: frames.queries,
      isAlongKeys: false,
      start: view.queryStart,
      end: view.queryEnd,
    },
  ];
  for (const strip of strips) {
    const { left, top, right, bottom } = strip.frame;
    context.save();
    context.beginPath();
    context.rect(left, top, right - left, bottom - top);
    context.clip();
    drawBars(context, strip, scene, colors);
    for (const [element, color] of [
      [hover, colors.inkSoft],
      [cursor, colors.accent],
    ] as const) {
      if (element === undefined) continue;
      drawMark(context, strip, strip.isAlongKeys ? element.key : element.query, color);
    }
    context.restore();
  }
  if (hover !== undefined) drawCross(context, scene, hover, colors);
}

function drawBars(
  context: CanvasRenderingContext2D,
  { profile, frame, isAlongKeys, start, end }: Strip,
  { scale, profiles }: MapScene & { readonly profiles: MapProfiles },
  colors: MapColors,
): void {
  const { left, top, right, bottom } = frame;
  const length = isAlongKeys ? right - left : bottom - top;
  const depth = isAlongKeys ? bottom - top : right - left;
  const perElement = length / (end - start);
  const most = profileTop(profile, scale);
  const zero = profiles.isSigned ? depth / 2 : 0;
  const size = Math.max(1, profile.step * perElement);
  const paper = rgbOf(colors.paper);
  // The strip's own ground, so that its extent is seen where all is 0.
  context.fillStyle = colors.masked;
  context.globalAlpha = 0.4;
  context.fillRect(left, top, right - left, bottom - top);
  context.globalAlpha = 1;
  for (const sign of profiles.isSigned ? ([1, -1] as const) : ([1] as const)) {
    context.fillStyle = profiles.isSigned ? cssOf(divergingColor(0.8 * sign, paper)) : colors.ink;
    context.beginPath();
    profile.values.forEach((value, i) => {
      // NaN has no bar either.
      if (!(value * sign > 0)) return;
      const along = (profile.from + i * profile.step - start) * perElement;
      const across = scalePosition(Math.abs(value), scale, most) * (depth - zero);
      // Bars grow downwards from the map, and to its right.
      const from = zero - (sign < 0 ? across : 0);
      if (isAlongKeys) context.rect(left + along, top + from, size, across);
      else context.rect(left + from, top + along, across, size);
    });
    context.globalAlpha = profiles.isSigned ? 1 : 0.7;
    context.fill();
    context.globalAlpha = 1;
  }
  if (!profiles.isSigned) return;
  context.fillStyle = colors.inkSoft;
  if (isAlongKeys) context.fillRect(left, top + zero, right - left, 1);
  else context.fillRect(left + zero, top, 1, bottom - top);
}

function drawMark(
  context: CanvasRenderingContext2D,
  { frame, isAlongKeys, start, end }: Strip,
  element: number,
  color: string,
): void {
  const { left, top, right, bottom } = frame;
  const perElement = (isAlongKeys ? right - left : bottom - top) / (end - start);
  const along = (element + 0.5 - start) * perElement;
  context.fillStyle = color;
  if (isAlongKeys) context.fillRect(left + along - 1, top, 2, bottom - top);
  else context.fillRect(left, top + along - 1, right - left, 2);
}

/** Thin lines from the pointer's element to its places in both profiles. */
function drawCross(
  context: CanvasRenderingContext2D,
  { frame, view }: MapScene,
  { query, key }: { readonly query: number; readonly key: number },
  colors: MapColors,
): void {
  const { left, top, right, bottom } = frame;
  const x = left + ((key + 0.5 - view.keyStart) / (view.keyEnd - view.keyStart)) * (right - left);
  const y =
    top + ((query + 0.5 - view.queryStart) / (view.queryEnd - view.queryStart)) * (bottom - top);
  if (x < left || x > right || y < top || y > bottom) return;
  context.strokeStyle = colors.accent;
  context.lineWidth = 1;
  context.setLineDash([4, 3]);
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x, bottom);
  context.moveTo(x, y);
  context.lineTo(right, y);
  context.stroke();
  context.setLineDash([]);
}

const cssOf = ([r, g, b]: readonly [number, number, number]) =>
  `rgb(${Math.round(r)}, ${Math.round(g)}, ${Math.round(b)})`;
