import { createRandom } from '../../random/random';
import type { RouterPart } from '../../spec/kinds/serve-parts';
import type { RouteQuestion, Router, SessionHomes } from './router';
import type { InstanceView } from './views';

type AskingPart = Extract<
  RouterPart,
  { type: 'prefix-affinity' | 'least-ttft' | 'reject-retry' | 'affinity-steal' }
>;

/** The index with the least amount, the lowest on a tie. */
function leastOf(count: number, amount: (index: number) => number): number {
  let best = 0;
  let least = amount(0);
  for (let i = 1; i < count; i++) {
    const each = amount(i);
    if (each >= least) continue;
    best = i;
    least = each;
  }
  return best;
}

/** Routers that look at caches, queues and estimates. They see the caches as they are, without delay. */
export function askingRouter(part: AskingPart, homes: SessionHomes = new Map()): Router {
  const place = placing(part, homes);
  return (views, _, question) => {
    if (question === undefined)
      throw new Error(`router "${part.type}" was asked without a request`);
    return place(views, question);
  };
}

type Placing = (views: readonly InstanceView[], question: RouteQuestion) => number;

function placing(part: AskingPart, homes: SessionHomes): Placing {
  switch (part.type) {
    case 'prefix-affinity': {
      const { matchThreshold, balanceDifference, balanceRatio } = part;
      return (views, { promptTokens, cachedTokens }) => {
        const load = (i: number) => (views[i] as InstanceView).outstanding;
        const least = leastOf(views.length, load);
        const most = load(leastOf(views.length, (i) => -load(i)));
        const isUnbalanced =
          most - load(least) > balanceDifference && most > balanceRatio * load(least);
        if (isUnbalanced) return least;
        const best = leastOf(views.length, (i) => -cachedTokens(i));
        if (cachedTokens(best) / promptTokens > matchThreshold) return best;
        return leastOf(views.length, (i) => (views[i] as InstanceView).keptBlocks ?? 0);
      };
    }
    case 'least-ttft':
      return (views, { queueSeconds, prefillSeconds, cachedTokens }) =>
        leastOf(views.length, (i) => queueSeconds(i) + prefillSeconds(cachedTokens(i)));
    case 'affinity-steal': {
      const { mostLoad, refreshMilliseconds } = part;
      let seen: number[] = [];
      let seenAt = -Infinity;
      return (views, { session, nowSeconds }) => {
        if (nowSeconds - seenAt >= refreshMilliseconds / 1e3) {
          seen = views.map(({ outstanding }) => outstanding);
          seenAt = nowSeconds;
        }
        const home = homes.get(session);
        const index =
          home !== undefined && (seen[home] as number) < mostLoad
            ? home
            : leastOf(views.length, (i) => seen[i] as number);
        homes.set(session, index);
        return index;
      };
    }
    case 'reject-retry': {
      const random = createRandom(part.seed).fork('router');
      return (views, { waiting }) => {
        const from = random.integer(0, views.length - 1);
        for (let i = 0; i < views.length; i++) {
          const index = (from + i) % views.length;
          if (waiting(index) < part.maxWaiting) return index;
        }
        return -1;
      };
    }
  }
}
