import type { RouterPart } from '../../spec/kinds/serve-parts';
import { createLaneLog, takeLane } from '../core/replica';
import type { SessionHomes } from '../parts/router';
import type { TimelineLane } from '../types';
import type { Estimator } from './estimator';
import type { SideEvents } from './event-loop';
import { enqueue, type Touch, withdraw } from './fleet';
import { nameBlocks } from './memory';
import type { Replica } from './replica';
import { createDueHeap } from './sends';
import { COPIED_AS_IT_WAS, type EntryLoad, type State } from './state';

type StealPart = Extract<RouterPart, { type: 'affinity-steal' }>;

/** Replicas that have nothing to do take what waits elsewhere, and its session's KV with it. */
export interface Stealing extends SideEvents {
  /** Idle replicas take, where loads are far enough apart. */
  steal(state: State, replicas: readonly Replica[], touch: Touch): void;
  /** A request enters with `hitTokens` in memory: whether more of its KV was moved here. */
  onEntered(state: State, replica: Replica, id: number, hitTokens: number): EntryLoad | undefined;
  readonly stolen: number;
  lanes(): TimelineLane[];
}

export interface StealingOptions {
  readonly part: StealPart;
  readonly bytesPerToken: number;
  readonly estimator: Estimator;
  readonly homes: SessionHomes;
  readonly sessionOf: (id: number) => number;
  readonly state: () => State;
}

const isIdle = (replica: Replica): boolean =>
  !replica.isBusy &&
  replica.queue.length + replica.decoding.length + replica.prefillingCount === 0 &&
  replica.loading.size + replica.swapped.length === 0;

/** Moves take turns on one link per replica that they go to. */
export function createStealing(options: StealingOptions): Stealing {
  const { part, bytesPerToken, estimator, homes } = options;
  const links = new Map<Replica, { freeAt: number; log: ReturnType<typeof createLaneLog> }>();
  const moved = new Map<number, { readonly tokens: number; readonly readyAt: number }>();
  const due = createDueHeap();
  const loads = new Map<number, { readonly replica: Replica; readonly tokens: number }>();
  let stolen = 0;

  function linkOf(replica: Replica) {
    let link = links.get(replica);
    if (link === undefined) {
      link = { freeAt: 0, log: createLaneLog() };
      links.set(replica, link);
    }
    return link;
  }
  function move(state: State, source: Replica, thief: Replica, id: number): void {
    const there = source.cache?.lookup(id).tokens ?? 0;
    const here = thief.cache?.lookup(id).tokens ?? 0;
    if (there <= here) return;
    const start = Math.max(state.nowSeconds, links.get(thief)?.freeAt ?? 0);
    const seconds = (there * bytesPerToken) / (part.linkGigabytesPerSecond * 1e9);
    const readyAt = start + seconds;
    if (readyAt - state.nowSeconds >= estimator.prefillSeconds(here, there - here)) return;
    const link = linkOf(thief);
    link.freeAt = readyAt;
    const { log } = link;
    log.start.push(start);
    log.duration.push(seconds);
    log.prefill.push(there);
    log.decode.push(0);
    log.batch.push(1);
    log.queue.push(0);
    log.kv.push(0);
    moved.set(id, { tokens: there, readyAt });
  }

  return {
    get stolen() {
      return stolen;
    },
    steal(state, replicas, touch) {
      if (part.stealRatio === 0) return;
      for (const thief of replicas) {
        if (!isIdle(thief)) continue;
        let source: Replica | undefined;
        for (const each of replicas) {
          if (each === thief || each.queue.length === 0 || !each.isBusy) continue;
          if (source === undefined || each.outstanding > source.outstanding) source = each;
        }
        if (source === undefined || source.outstanding <= part.stealRatio) continue;
        const id = source.queue.peek(source.step);
        // One that was preempted has begun here.
        if ((state.requests.restarts[id] as number) > 0) continue;
        withdraw(state, source, id);
        move(state, source, thief, id);
        homes.set(options.sessionOf(id), thief.index);
        stolen++;
        enqueue(state, thief, id, touch);
      }
    },
    onEntered(state, replica, id, hitTokens) {
      const found = moved.get(id);
      if (found === undefined) return undefined;
      moved.delete(id);
      const { tokens, readyAt } = found;
      if (tokens <= hitTokens) return undefined;
      if (readyAt <= state.nowSeconds)
        return { ...COPIED_AS_IT_WAS, processedTokens: tokens, overlapsUntilSeconds: -Infinity };
      loads.set(id, { replica, tokens });
      due.push(readyAt, id);
      return { ...COPIED_AS_IT_WAS, processedTokens: tokens, overlapsUntilSeconds: undefined };
    },
    nextSeconds: () => due.firstSeconds(),
    handle(now, touch) {
      const { processed } = options.state().requests;
      while (due.firstSeconds() <= now) {
        const id = due.pop();
        const { replica, tokens } = loads.get(id) as { replica: Replica; tokens: number };
        loads.delete(id);
        replica.loading.delete(id);
        processed[id] = tokens;
        nameBlocks(replica, id, tokens);
        replica.tail.push(id);
        touch(replica);
      }
    },
    lanes: () =>
      [...links].map(([{ index }, { log }]) =>
        takeLane(log, `moves-${index}`, `sessions to replica ${index}`, 'link', 0),
      ),
  };
}
