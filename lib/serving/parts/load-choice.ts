import type { TierLevel, TierStorePart } from '../../spec/kinds/serve-parts';

/** Seconds to read `tokens` of KV from a level that is idle, decoding included. */
export function readSeconds(level: TierLevel, tokens: number, bytesPerToken: number): number {
  const operations = Math.ceil(tokens / level.operationTokens);
  const bytes = tokens * bytesPerToken;
  return (
    level.latencyMicroseconds * 1e-6 +
    operations * level.operationMicroseconds * 1e-6 +
    (bytes * level.bytesRatio) / (level.readGigabytesPerSecond * 1e9) +
    (bytes / 1e9) * level.decodeSecondsPerGigabyte
  );
}

/** Seconds to write it. */
export function writeSeconds(level: TierLevel, tokens: number, bytesPerToken: number): number {
  const operations = Math.ceil(tokens / level.operationTokens);
  return (
    level.latencyMicroseconds * 1e-6 +
    operations * level.operationMicroseconds * 1e-6 +
    (tokens * bytesPerToken * level.bytesRatio) / (level.writeGigabytesPerSecond * 1e9)
  );
}

/** The two ways to a prompt whose KV is partly stored. */
export interface LoadQuestion {
  /** Until what is stored has been loaded, waiting for the link included. */
  readonly loadSeconds: number;
  /** To compute the rest of the prompt behind it, and to compute all of it. */
  readonly restSeconds: number;
  readonly wholeSeconds: number;
}

export type LoadChoice = (question: LoadQuestion) => boolean;

/** Load or recompute: layer by layer the longer of loading and computing shows, else their sum. */
export function loadChoice(part: Extract<TierStorePart, { type: 'tiers' }>): LoadChoice {
  if (part.load === 'always') return () => true;
  const isOverlapped = part.overlap === 'layer-wise';
  return ({ loadSeconds, restSeconds, wholeSeconds }) =>
    (isOverlapped ? Math.max(loadSeconds, restSeconds) : loadSeconds + restSeconds) < wholeSeconds;
}
