import type { TimelineLane } from '../types';

/** Calls `add(start, end, blocks)` for pieces of time that do not overlap. */
type Add = (start: number, end: number, blocks: number) => void;

const endOf = ({ startSeconds, durationSeconds }: TimelineLane, i: number): number =>
  (startSeconds[i] as number) + (durationSeconds[i] as number);

/**
 * Blocks in use over time of one memory, which one lane has or two phases share. A row tells what is
 * in use from its start on; of two lanes the newest row counts, for as long as either of them runs.
 */
export function blockSeconds(lane: TimelineLane, other: TimelineLane | undefined, add: Add): void {
  if (other === undefined) {
    for (let i = 0; i < lane.startSeconds.length; i++)
      add(lane.startSeconds[i] as number, endOf(lane, i), lane.kvBlocksUsed[i] as number);
    return;
  }
  let [a, b] = [0, 0];
  let from = 0;
  let until = 0;
  let blocks = 0;
  while (a < lane.startSeconds.length || b < other.startSeconds.length) {
    const startA = lane.startSeconds[a] ?? Infinity;
    const startB = other.startSeconds[b] ?? Infinity;
    const [of, i] = startA <= startB ? [lane, a++] : [other, b++];
    const start = of.startSeconds[i] as number;
    add(from, Math.min(start, until), blocks);
    from = start;
    until = Math.max(until, endOf(of, i));
    blocks = of.kvBlocksUsed[i] as number;
  }
  add(from, until, blocks);
}
