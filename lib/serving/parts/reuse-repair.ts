import type { ReuseRepairPart } from '../../spec/kinds/serve-parts';

/** A stored chunk, as a prompt would reuse it. */
export interface ChunkUse {
  /** Whether it is the first of the prompt, with nothing before it. */
  readonly isFirst: boolean;
  /** Chunks before it when it was made, and before it now. */
  readonly before: ReadonlySet<number>;
  readonly now: ReadonlySet<number>;
}

/** Share of a reused chunk's tokens to compute again; undefined where it is not worth reusing. */
export type ReuseRepair = (use: ChunkUse) => number | undefined;

/** Share of the chunks before it when it was made that precede it now; 1 where there were none. */
export function contextOverlap({ before, now }: ChunkUse): number {
  if (before.size === 0) return now.size === 0 ? 1 : 0;
  let common = 0;
  for (const each of before) if (now.has(each)) common++;
  return common / before.size;
}

export function reuseRepair(part: ReuseRepairPart): ReuseRepair {
  switch (part.type) {
    case 'exact':
      return () => 0;
    case 'fraction':
      return ({ isFirst }) => (isFirst ? 0 : part.fraction);
    case 'per-chunk':
      return (use) => {
        const share = Math.min(1, part.alpha * (1 - contextOverlap(use)) * part.contextImpact);
        return share > part.threshold ? undefined : share;
      };
  }
}
