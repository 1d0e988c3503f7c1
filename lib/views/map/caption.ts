const CAPTION_PIXELS = 40;

/** The drawn map as PNG with two lines under it that say what it is and where it comes from. */
export function captionedPng(
  drawn: HTMLCanvasElement,
  width: number,
  { paper, ink }: { readonly paper: string; readonly ink: string },
  lines: readonly string[],
): Promise<Blob> {
  const ratio = drawn.width / width;
  const out = new OffscreenCanvas(drawn.width, drawn.height + Math.round(CAPTION_PIXELS * ratio));
  const context = out.getContext('2d');
  if (context === null) throw new Error('no 2D canvas in this browser');
  context.fillStyle = paper;
  context.fillRect(0, 0, out.width, out.height);
  context.drawImage(drawn, 0, 0);
  context.scale(ratio, ratio);
  context.fillStyle = ink;
  context.font = '11px system-ui, sans-serif';
  lines.forEach((line, i) => {
    context.fillText(line, 4, drawn.height / ratio + 15 + 16 * i, width - 8);
  });
  return out.convertToBlob({ type: 'image/png' });
}
