export type Rgb = readonly [number, number, number];

const known = new Map<string, Rgb>();

/** A colour as numbers in 0..255, by letting a canvas read it: tokens may be in any notation. */
export function rgbOf(color: string): Rgb {
  const seen = known.get(color);
  if (seen !== undefined) return seen;
  const context = new OffscreenCanvas(1, 1).getContext('2d');
  if (context === null) return [128, 128, 128];
  context.fillStyle = color;
  context.fillRect(0, 0, 1, 1);
  const { data } = context.getImageData(0, 0, 1, 1);
  const rgb: Rgb = [data[0] ?? 0, data[1] ?? 0, data[2] ?? 0];
  known.set(color, rgb);
  return rgb;
}
