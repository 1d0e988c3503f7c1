/** A visible piece of simulated time. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Narrower than this, one pixel is below the clock's meaning. */
const LEAST_SECONDS = 1e-4;

/** `span` moved and shrunk into `whole`. */
export function clampSpan(span: Span, whole: Span): Span {
  const length = Math.min(Math.max(span.end - span.start, LEAST_SECONDS), whole.end - whole.start);
  const start = Math.min(Math.max(span.start, whole.start), whole.end - length);
  return { start, end: start + length };
}

/** Zooms by `factor` (below 1 is in), keeping the instant `at` where it is on the screen. */
export function zoomSpan(span: Span, factor: number, at: number, whole: Span): Span {
  return clampSpan(
    { start: at - (at - span.start) * factor, end: at + (span.end - at) * factor },
    whole,
  );
}

export function panSpan(span: Span, seconds: number, whole: Span): Span {
  return clampSpan({ start: span.start + seconds, end: span.end + seconds }, whole);
}
