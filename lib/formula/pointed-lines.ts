/** Characters of a formula that are shown at once around the place that a message is about. */
const SHOWN = 72;

/** The text around [start, end) and a line of marks under it; `…` where text is left out. */
export function pointedLines(text: string, start: number, end: number): readonly [string, string] {
  const from = text.length <= SHOWN ? 0 : Math.max(0, Math.min(start, text.length) - SHOWN / 2);
  const past = Math.min(text.length, from + SHOWN);
  const before = from > 0 ? '…' : '';
  const after = past < text.length ? '…' : '';
  const shownStart = Math.min(start, past) - from;
  const marks = Math.max(1, Math.min(end, past) - Math.min(start, past));
  const indent = ' '.repeat(before.length + Math.max(0, shownStart));
  return [`${before}${text.slice(from, past)}${after}`, `${indent}${'^'.repeat(marks)}`];
}
