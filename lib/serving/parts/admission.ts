import type { AdmissionPart } from '../../spec/kinds/serve-parts';
import type { KvAlloc } from './kv-alloc';
import { blocksOf, type InstanceView, type RequestView } from './views';

/** Tokens processed and output left of one running request, for the rule that looks ahead. */
export interface RunningTokens {
  readonly count: number;
  /** Requests by output left, most first: KV tokens now, and decode iterations left after this one. */
  readonly kvTokens: Float64Array;
  readonly left: Float64Array;
}

export interface Admission {
  readonly maxSequences: number;
  /** Whether the memory has room for the request now. */
  readonly fits: (view: InstanceView, id: number) => boolean;
  /** Blocks promised to a request from entry to end. */
  readonly commits: (id: number, blockTokens: number) => number;
  /** Tokens that a request may have at most. */
  readonly mostTokens: number;
  /** Blocks that must stay free beside a request that is alone. */
  readonly spareBlocks: (watermarkBlocks: number) => number;
  /** Whether nothing but an arrival, an end or a departure can turn a no into a yes. */
  readonly isMonotone: boolean;
}

const none = () => 0;

/**
 * May the request enter? Reservations make preemption needless and cost capacity; the watermark
 * risks preemption for it.
 *
 * @param running what runs in a replica, read only by `future-peak`
 */
export function admission(
  part: AdmissionPart,
  alloc: KvAlloc,
  requests: RequestView,
  running: (view: InstanceView) => RunningTokens,
): Admission {
  const { maxSequences } = part;
  const entry = (id: number) => alloc.entryBlocks(requests.prefillTokens[id] as number);
  const free = (view: InstanceView) => view.blocksTotal - view.blocksUsed;
  const common = {
    maxSequences,
    mostTokens: Infinity,
    commits: none,
    spareBlocks: none,
    isMonotone: true,
  };
  switch (part.type) {
    case 'watermark':
      return {
        ...common,
        fits: (view, id) => free(view) - entry(id) >= view.watermarkBlocks,
        spareBlocks: (watermarkBlocks) => watermarkBlocks,
      };
    case 'fits':
      return { ...common, fits: (view, id) => free(view) >= entry(id) };
    case 'reserve-max':
    case 'whole-request': {
      // The last token is emitted and never fed, so it needs no KV.
      const tokens =
        part.type === 'reserve-max'
          ? () => part.maxTokens
          : (id: number) => (requests.totalTokens[id] as number) - 1;
      const commits = (id: number, blockTokens: number) => blocksOf(tokens(id), blockTokens);
      return {
        ...common,
        commits,
        mostTokens: part.type === 'reserve-max' ? part.maxTokens : Infinity,
        fits: (view, id) =>
          view.committedBlocks + commits(id, view.blockTokens) <= view.blocksTotal &&
          free(view) >= entry(id),
      };
    }
    case 'future-peak':
      return {
        ...common,
        isMonotone: false,
        // The peak of a request alone is its whole length, and must stay below the memory.
        spareBlocks: () => 2,
        fits: (view, id) =>
          free(view) >= entry(id) &&
          futurePeak(running(view), requests, id) < view.blocksTotal * view.blockTokens,
      };
  }
}

/**
 * KV tokens at the fullest future iteration if the request entered now and nothing else did: with
 * requests by output left, most first, the peak lies at the end of one of them, and is
 * max over i of left_i x i + the sum of the KV tokens of the first i.
 */
export function futurePeak(running: RunningTokens, requests: RequestView, id: number): number {
  const tokens = (requests.prefillTokens[id] as number) + 1;
  const left = Math.max(0, (requests.totalTokens[id] as number) - tokens - 1);
  let peak = 0;
  let sum = 0;
  let place = 0;
  let isCounted = false;
  const take = (each: number, kvTokens: number) => {
    place++;
    sum += kvTokens;
    peak = Math.max(peak, each * place + sum);
  };
  for (let i = 0; i < running.count; i++) {
    const each = running.left[i] as number;
    // Among equals the newcomer is last, as a stable sort leaves it.
    if (!isCounted && each < left) {
      take(left, tokens);
      isCounted = true;
    }
    take(each, running.kvTokens[i] as number);
  }
  if (!isCounted) take(left, tokens);
  return peak;
}
