import { checkHead, checkInteger } from './checks';
import { makeGrid } from './grid';
import { selectLines } from './lines';
import type { HeadTensors, Selection } from './types';

export interface AShapeOptions {
  readonly blockQueries: number;
  readonly blockKeys: number;
  /** First keys that every query sees; 0 for none. */
  readonly sinkTokens: number;
  /** Last keys that every query sees, itself included; 0 for none. */
  readonly windowTokens: number;
}

/** Sinks and a sliding window, exact to the token: MInference's A-shape, StreamingLLM's mask. */
export function selectAShape(head: HeadTensors, options: AShapeOptions): Selection {
  checkHead(head);
  checkInteger('sinkTokens', options.sinkTokens, 0, 2 ** 24);
  checkInteger('windowTokens', options.windowTokens, 0, 2 ** 24);
  const grid = makeGrid(head, options.blockQueries, options.blockKeys);
  return selectLines(grid, leadingLines(head.keys, options.sinkTokens, options.windowTokens), {
    pattern: 'a-shape',
    selectionFlops: 0,
  });
}

/** The first columns and the nearest diagonals. */
export function leadingLines(keys: number, sinkTokens: number, recentTokens: number) {
  return {
    columns: new Uint8Array(keys).fill(1, 0, Math.min(keys, sinkTokens)),
    diagonals: new Uint8Array(keys).fill(1, 0, Math.min(keys, recentTokens)),
  };
}
