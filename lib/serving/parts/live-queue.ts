import type { PriorityPart } from '../../spec/kinds/serve-parts';
import { externalOrder } from './external-order';
import { firstLimit, type RequestView } from './views';
import type { Urgency, WaitingQueue } from './waiting-queue';
import { goodputDensity, type WorthView } from './worth';

/** What an order may ask that changes while requests wait. */
export interface LiveView extends WorthView {
  /** Tokens of the prompt that the replica has cached now. */
  readonly cachedTokens: (id: number) => number;
  /** Tokens that the completed requests of its program have had. */
  readonly serviceTokens: (id: number) => number;
  /** Tokens that the programs of its client have left, each over the time to its deadline. */
  readonly urgency: (id: number, deadlineSeconds: number) => number;
}

type LivePart = Extract<
  PriorityPart,
  {
    type: 'lpm' | 'hit-ratio' | 'las' | 'mlfq' | 's-edf' | 'density' | 'external' | 'fair-share';
  }
>;

/** Whether the order changes while requests wait: the fast engine looks ahead over fixed ones only. */
export const isLive = (part: PriorityPart): part is LivePart =>
  ['lpm', 'hit-ratio', 'las', 'mlfq', 's-edf', 'density', 'external', 'fair-share'].includes(
    part.type,
  );

/** Key of a waiting request at this moment; the smallest goes first. */
function liveKey(
  part: LivePart,
  requests: RequestView,
  live: LiveView,
): (id: number, length: number, step: number) => number {
  const { prefillTokens } = requests;
  switch (part.type) {
    case 'lpm':
      return (id, length) => (length > part.fcfsAbove ? 0 : -live.cachedTokens(id));
    case 'hit-ratio':
      return (id) => -live.cachedTokens(id) / (prefillTokens[id] as number);
    case 'las':
      return (id) => Math.floor((live.serviceTokens(id) + live.emittedTokens(id)) / part.binTokens);
    case 'mlfq':
      return (id) => {
        const level = Math.ceil(Math.log2(Math.max(1, live.serviceTokens(id) / part.baseTokens)));
        return Math.min(part.levels - 1, level);
      };
    case 's-edf': {
      const { key } = deadlines(part, requests, live);
      return (id) => key(id);
    }
    case 'density': {
      const density = goodputDensity(part, requests, live);
      return (id) => -density(id);
    }
    case 'external':
      return externalOrder(part);
    case 'fair-share':
      return (id) => -live.urgency(id, part.deadlineSeconds);
  }
}

/** Requests that can make it by deadline, and then those that cannot, the latest deadline first. */
function deadlines(
  part: Extract<LivePart, { type: 's-edf' }>,
  { prefillTokens, arrivalSeconds, limits }: RequestView,
  live: LiveView,
): Urgency {
  const prompts = prefillTokens.slice();
  const deadlineSeconds = (id: number) => {
    const own = limits === undefined ? Infinity : firstLimit(limits, id);
    const limit =
      own === Infinity
        ? part.baseSeconds + part.secondsPerPromptToken * (prompts[id] as number)
        : own;
    return (arrivalSeconds[id] as number) + limit;
  };
  return {
    deadlineSeconds,
    key(id, restSeconds = live.prefillSeconds(id)) {
      const deadline = deadlineSeconds(id);
      const slack = deadline - live.nowSeconds() - restSeconds;
      return -Math.sign(slack) / Math.max(deadline, 1e-12);
    },
  };
}

/** A list that is looked through at every peek; ties go by arrival, and by number. */
export function liveQueue(part: LivePart, requests: RequestView, live: LiveView): WaitingQueue {
  const key = liveKey(part, requests, live);
  const { arrivalSeconds } = requests;
  const ids: number[] = [];
  function first(step: number): number {
    if (ids.length === 0) throw new RangeError('peek at an empty queue');
    let best = 0;
    let least = Infinity;
    for (let i = 0; i < ids.length; i++) {
      const each = key(ids[i] as number, ids.length, step);
      if (each > least) continue;
      if (each === least && !isEarlier(ids[i] as number, ids[best] as number)) continue;
      best = i;
      least = each;
    }
    return best;
  }
  const isEarlier = (a: number, b: number): boolean => {
    const difference = (arrivalSeconds[a] as number) - (arrivalSeconds[b] as number);
    return difference < 0 || (difference === 0 && a < b);
  };
  return {
    get length() {
      return ids.length;
    },
    peek: (step) => ids[first(step)] as number,
    pop: (step) => ids.splice(first(step), 1)[0] as number,
    arrive: (id) => ids.push(id),
    giveBack: (id) => ids.push(id),
    ids: () => ids,
    remove: (id) => ids.splice(ids.indexOf(id), 1),
    keyOf: (id, step) => key(id, ids.length, step),
    onJoin: undefined,
    onLeave: undefined,
    urgency: part.type === 's-edf' ? deadlines(part, requests, live) : undefined,
    isStable: false,
  };
}
