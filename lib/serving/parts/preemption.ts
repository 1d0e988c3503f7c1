import type { PreemptionPart } from '../../spec/kinds/serve-parts';
import type { Priority } from './priority';

/** What happens to requests that must make room. */
export interface Preemption {
  readonly mechanism: Exclude<PreemptionPart['type'], 'pause-at-operator'>;
  /** Free blocks that decoding wants beside what it takes: engines ask for one even where none is needed. */
  readonly spareBlocks: 0 | 1;
  readonly forPriority: boolean;
  readonly hostBytesPerSecond: number;
  /** How KV is copied to the host, where it is; blocks that lie together, where the allocator keeps them so. */
  readonly swap:
    | (Extract<PreemptionPart, { type: 'swap' }> & { readonly groupBlocks?: number | undefined })
    | undefined;
  /**
   * Place of a request among those that decode, by which the list is kept: victims are taken from
   * its end. Infinity means after all that are there.
   */
  readonly rank: (id: number, processed: number, step: number) => number;
}

export function preemption(
  part: PreemptionPart,
  priority: Priority,
  arrivalSeconds: Float64Array,
  groupBlocks?: number,
): Preemption {
  const common = {
    forPriority: false,
    hostBytesPerSecond: Infinity,
    rank: () => Infinity,
    swap: undefined,
  };
  if (part.type === 'none') return { ...common, mechanism: 'none', spareBlocks: 0 };
  const rank = {
    'last-admitted': () => Infinity,
    'latest-arrival': (id: number) => arrivalSeconds[id] as number,
    'lowest-priority': priority.rank,
  }[part.type === 'pause-at-operator' ? 'latest-arrival' : part.victim];
  return {
    // A pause is of prefills: what decodes is computed again.
    mechanism: part.type === 'pause-at-operator' ? 'recompute' : part.type,
    spareBlocks: 1,
    forPriority: part.type === 'recompute' && part.forPriority,
    hostBytesPerSecond: part.type === 'swap' ? part.hostGigabytesPerSecond * 1e9 : Infinity,
    swap: part.type === 'swap' ? { ...part, groupBlocks } : undefined,
    rank,
  };
}
