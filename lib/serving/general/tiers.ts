import type { TierStorePart } from '../../spec/kinds/serve-parts';
import { loadChoice, readSeconds } from '../parts/load-choice';
import type { TierUse, TimelineLane } from '../types';
import type { CachedBlock } from './cached-block';
import type { Estimator } from './estimator';
import type { SideEvents } from './event-loop';
import { nameBlocks } from './memory';
import type { Replica } from './replica';
import { createDueHeap } from './sends';
import type { EntryLoad, State } from './state';
import { type ToldRead, tellQueued } from './tell-tracer';
import { createTierStore, type TierStore } from './tier-store';

type TiersPart = Extract<TierStorePart, { type: 'tiers' }>;

/** Everything below accelerator memory. */
export interface Tiers extends SideEvents {
  /** A block has lost its place in a replica's memory. */
  onEvicted(replica: number, block: CachedBlock): void;
  /** A block's KV has been made. */
  onMade(replica: number, content: number, tokens: number): void;
  /** The same where no replica's own stores can be meant. */
  onMadeApart(content: number, tokens: number): void;
  /** A request has entered with `hitTokens` of its KV in memory: what of the rest is loaded. */
  onEntered(replica: Replica, id: number, hitTokens: number): EntryLoad | undefined;
  use(): readonly TierUse[];
  lanes(): TimelineLane[];
}

export interface TiersOptions {
  readonly part: TiersPart;
  readonly replicas: number;
  /** Lanes that have the stores of one replica. */
  readonly lanesPerReplica: number;
  /** What a store may have of a request beyond its hit in memory, in order. */
  readonly pieces: (replica: number, id: number, hitTokens: number) => Iterable<Piece>;
  /** Whether a piece is of use only behind all that precede it. */
  readonly isPrefix: boolean;
  readonly blockTokens: number;
  readonly bytesPerToken: number;
  readonly estimator: Estimator;
  readonly state: () => State;
}

/** A piece of a request's KV that a store may have. */
export interface Piece {
  readonly content: number;
  /** Tokens to read, and those of them that need not be computed afterwards. */
  readonly tokens: number;
  readonly reusedTokens: number;
}

/** What of a request is stored, level by level. */
interface LoadPlan {
  /** Tokens that need not be computed once all of it is there. */
  readonly reusedTokens: number;
  readonly perLevel: readonly { readonly contents: number[]; tokens: number }[];
}

/**
 * Levels of stores: what memory evicts is written to the first level, what a level drops to the next
 * one. A write takes its link's time and frees memory at once, as if through a staging buffer. A
 * request that enters loads what follows its hit in memory, one read per level, side by side.
 */
export function createTiers(options: TiersOptions): Tiers {
  const { part, replicas, blockTokens, bytesPerToken, estimator } = options;
  const mayLoad = loadChoice(part);
  const due = createDueHeap();
  const loads = new Map<number, { readonly replica: Replica; readonly tokens: number }>();

  const stores: TierStore[][] = part.levels.map((level, l) =>
    Array.from({ length: level.scope === 'shared' ? 1 : replicas }, (_, r) =>
      createTierStore({
        id: `tier-${l}-${r}`,
        label: level.scope === 'shared' ? level.name : `${level.name} of replica ${r}`,
        level,
        bytesPerToken,
        onDropped: (content, tokens, now) => writeTo(l + 1, r, content, tokens, now),
      }),
    ),
  );
  const storeOf = (level: number, replica: number): TierStore | undefined => {
    const all = stores[level];
    return all?.length === 1 ? all[0] : all?.[Math.floor(replica / options.lanesPerReplica)];
  };
  /** Each store has a lane of reads and one of writes. */
  const readLaneOf = (level: number, store: TierStore): number => {
    const before = stores.slice(0, level).reduce((sum, each) => sum + each.length, 0);
    return 2 * (before + (stores[level] as TierStore[]).indexOf(store));
  };
  function writeTo(
    level: number,
    replica: number,
    content: number,
    tokens: number,
    now: number,
  ): void {
    storeOf(level, replica)?.write(content, tokens, now);
  }
  /** Whether to read a block back alone would be faster than to compute it again. */
  function pays(level: number, replica: number, start: number, tokens: number): boolean {
    const store = storeOf(level, replica);
    if (store === undefined) return false;
    if (part.load === 'always') return true;
    const { level: spec } = store;
    const perOperation = Math.max(tokens, spec.operationTokens);
    // A block is read together with its neighbours.
    const share = tokens / perOperation;
    return (
      readSeconds(spec, perOperation, bytesPerToken) * share <
      estimator.marginalSeconds(start, tokens)
    );
  }

  function planOf(replica: number, id: number, hitTokens: number, now: number): LoadPlan {
    const perLevel = part.levels.map(() => ({ contents: [] as number[], tokens: 0 }));
    let reusedTokens = 0;
    for (const piece of options.pieces(replica, id, hitTokens)) {
      const level = part.levels.findIndex((_, l) => storeOf(l, replica)?.has(piece.content, now));
      const plan = perLevel[level];
      if (plan === undefined) {
        if (options.isPrefix) break;
        continue;
      }
      plan.contents.push(piece.content);
      plan.tokens += piece.tokens;
      reusedTokens += piece.reusedTokens;
    }
    return { reusedTokens, perLevel };
  }

  function load(replica: Replica, id: number, hitTokens: number): EntryLoad | undefined {
    const state = options.state();
    const { nowSeconds: now } = state;
    const plan = planOf(replica.index, id, hitTokens, now);
    // A prefix in a store replaces the part of a block that a radix tree would copy.
    const base = options.isPrefix ? Math.floor(hitTokens / blockTokens) * blockTokens : hitTokens;
    const tokens = base + plan.reusedTokens;
    if (tokens <= hitTokens) return undefined;
    const storeAt = (level: number) => storeOf(level, replica.index) as TierStore;
    let end = now;
    plan.perLevel.forEach((each, l) => {
      if (each.tokens > 0) end = Math.max(end, storeAt(l).estimateEndSeconds(each.tokens, now));
    });
    const prefill = state.requests.prefillTokens[id] as number;
    if (tokens >= prefill)
      throw new RangeError(`request ${id} would reuse ${tokens} of ${prefill} prompt tokens`);
    const question = {
      loadSeconds: end - now,
      restSeconds: estimator.prefillSeconds(tokens, prefill - tokens),
      wholeSeconds: estimator.prefillSeconds(hitTokens, prefill - hitTokens),
    };
    if (!mayLoad(question)) return undefined;
    const reads: ToldRead[] = [];
    plan.perLevel.forEach((each, l) => {
      if (each.tokens === 0) return;
      const store = storeAt(l);
      const times = store.read(id, each.contents, each.tokens, now);
      const from = store.level.name;
      reads.push({ ...times, from, tokens: each.tokens, lane: readLaneOf(l, store) });
    });
    const repairTokens =
      plan.perLevel.reduce((sum, each) => sum + each.tokens, 0) - plan.reusedTokens;
    const entry = { processedTokens: tokens, repairTokens, reads };
    if (part.overlap === 'layer-wise') return { ...entry, overlapsUntilSeconds: end };
    loads.set(id, { replica, tokens });
    due.push(end, id);
    return { ...entry, overlapsUntilSeconds: undefined };
  }

  return {
    onEvicted(replica, block) {
      const { content, startTokens, tokens } = block;
      // What no other request can name is not worth a place.
      if (content < 0 || block.isTail || !pays(0, replica, startTokens, tokens)) return;
      writeTo(0, replica, content, tokens, options.state().nowSeconds);
    },
    onMade(replica, content, tokens) {
      if (part.write !== 'through' || content < 0) return;
      const { nowSeconds } = options.state();
      for (const l of part.levels.keys()) writeTo(l, replica, content, tokens, nowSeconds);
    },
    onMadeApart(content, tokens) {
      if (part.write !== 'through' || content < 0) return;
      const { nowSeconds } = options.state();
      part.levels.forEach(({ scope }, l) => {
        if (scope === 'shared') writeTo(l, 0, content, tokens, nowSeconds);
      });
    },
    onEntered: load,
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
        tellQueued(options.state(), replica, id);
        touch(replica);
      }
    },
    use: () =>
      part.levels.map((level, l) => {
        const all = stores[l] as TierStore[];
        const sum = (pick: (use: TierStore['use']) => number) =>
          all.reduce((total, { use }) => total + pick(use), 0);
        return {
          name: level.name,
          readTokens: sum((use) => use.readTokens),
          writtenTokens: sum((use) => use.writtenTokens),
          storedTokens: sum((use) => use.storedTokens),
        };
      }),
    lanes: () => stores.flat().flatMap((store) => store.lanes()),
  };
}
