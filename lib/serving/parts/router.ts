import { createRandom } from '../../random/random';
import type { RouterPart } from '../../spec/kinds/serve-parts';
import { askingRouter } from './asking-router';
import type { InstanceView } from './views';

/** What a router may ask of the request that it places, by the index of the replica. */
export interface RouteQuestion {
  readonly promptTokens: number;
  readonly cachedTokens: (index: number) => number;
  readonly waiting: (index: number) => number;
  /** Estimated time until the replica has computed the prompts that it has. */
  readonly queueSeconds: (index: number) => number;
  /** Estimated time to compute the prompt behind so many cached tokens. */
  readonly prefillSeconds: (cachedTokens: number) => number;
  readonly nowSeconds: number;
  /** Its program, or its client where there are no programs. */
  readonly session: number;
}

/** The replica that has each session's KV. */
export type SessionHomes = Map<number, number>;

/** Index into `views` of the replica that gets a request; -1 where none takes it now. */
export type Router = (
  views: readonly InstanceView[],
  clientId: number,
  question?: RouteQuestion,
) => number;

/** Whether a router asks about the request, or may send it away: the fast engine cannot answer. */
export const asksQuestions = ({ type }: RouterPart): boolean =>
  type === 'prefix-affinity' ||
  type === 'least-ttft' ||
  type === 'reject-retry' ||
  type === 'affinity-steal';

const leastBy =
  (amount: (view: InstanceView) => number): Router =>
  (views) => {
    let best = 0;
    for (let i = 1; i < views.length; i++) {
      if (amount(views[i] as InstanceView) < amount(views[best] as InstanceView)) best = i;
    }
    return best;
  };

/** Spreads neighbouring ids: Knuth's multiplicative hash. */
const spread = (id: number): number => Math.imul(id + 1, 2654435761) >>> 0;

/** A router; the random ones are deterministic by their seed and the order of arrivals. */
export function router(part: RouterPart, homes?: SessionHomes): Router {
  switch (part.type) {
    case 'round-robin': {
      let next = -1;
      return (views) => {
        next = (next + 1) % views.length;
        return next;
      };
    }
    case 'least-outstanding':
      return leastBy((view) => view.outstanding);
    case 'least-tokens':
      return leastBy((view) => view.outstandingTokens);
    case 'random': {
      const random = createRandom(part.seed).fork('router');
      return (views) => random.integer(0, views.length - 1);
    }
    case 'power-of-two': {
      const random = createRandom(part.seed).fork('router');
      return (views) => {
        const a = random.integer(0, views.length - 1);
        const b = random.integer(0, views.length - 1);
        const [first, second] = [views[a] as InstanceView, views[b] as InstanceView];
        return second.outstanding < first.outstanding ? b : a;
      };
    }
    case 'session-affine':
      return (views, clientId) => spread(clientId) % views.length;
    default:
      return askingRouter(part, homes);
  }
}
