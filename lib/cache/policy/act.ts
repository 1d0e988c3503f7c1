import type { CachePolicy } from '../../spec/cache-policy';
import type { Transformer, TransformerConfig } from '../../transformer/types';
import type { SlotCache, SlotRun } from '../slots/types';
import { ACTIONS } from './action-table';
import type { ActedHead, ActionContext, ActionDefinition } from './actions';
import { allocate } from './allocate';
import type { HeadGates } from './classify';
import { type LayerScores, scoreLayer } from './scorers';
import { forcedCounts, selectSlots } from './select';
import type { QueryTrace } from './trace';

/** A policy at work on a cache. */
export interface Acting {
  readonly policy: CachePolicy;
  readonly model: Transformer;
  readonly config: TransformerConfig;
  readonly cache: SlotCache;
  readonly trace: QueryTrace;
  readonly gates?: HeadGates;
  readonly unrotate: ActionContext['unrotate'];
}

/** Scores of the layers' slots, for text up to `tokens`. */
export function scoreLayers(
  { policy, config, cache, trace }: Acting,
  layers: readonly number[],
  tokens: number,
): LayerScores[] {
  const { recent } = policy.selector;
  const poolEnd = tokens - (recent.type === 'tokens' ? recent.tokens : 0);
  return layers.map((layer) =>
    scoreLayer({ policy, cache, config, trace, tokens, poolEnd }, layer),
  );
}

/**
 * Slots that each head may keep, [layers][kvHeads], by the policy's allocator.
 *
 * @param scored the layers from 0 on
 * @param budget slots per head on average
 * @param tokensAfter tokens of a question behind the slots, part of the recent window
 */
export function capsOf(
  acting: Acting,
  scored: readonly LayerScores[],
  budget: number,
  tokensAfter: number,
): number[][] {
  const { policy, config, gates } = acting;
  const { sinks, recents } = forcedCounts(policy.selector, budget, tokensAfter);
  const preferences = scored.flatMap(({ preference }) => (preference ? [preference] : []));
  return allocate(policy.allocator, {
    budget,
    forced: Math.min(budget, sinks + recents),
    layers: config.layers,
    counts: scored.map(({ scores }) => scores.map(({ length }) => length)),
    scores: scored.map(({ scores }) =>
      scores.map((own) => {
        const lifted = own.slice().fill(Infinity, 0, sinks);
        return lifted.fill(Infinity, Math.max(0, own.length - recents));
      }),
    ),
    ...(preferences.length > 0 ? { preferences } : {}),
    ...(gates ? { gates } : {}),
  });
}

/**
 * Does to the slots of some layers what the policy says.
 *
 * @param caps slots that each head of these layers may keep, [layers][kvHeads]
 */
export function actOn(
  acting: Acting,
  layers: readonly number[],
  scored: readonly LayerScores[],
  caps: readonly (readonly number[])[],
  tokensAfter: number,
): void {
  const { policy, model, config, cache, trace, unrotate } = acting;
  const { action, keptAction, corrector } = policy;
  const acted: ActedHead[] = [];
  layers.forEach((layer, i) => {
    for (let kvHead = 0; kvHead < config.kvHeads; kvHead++) {
      const scores = scored[i]!.scores[kvHead]!;
      const { positions, count } = cache.head(layer, kvHead);
      const cap = caps[i]![kvHead]!;
      // The compensation token takes a slot of its own.
      const budget = action.type === 'compensate' && cap < count ? cap - 1 : cap;
      const kept = selectSlots(policy.selector, { scores, positions, budget, tokensAfter });
      cache.setMeta(layer, kvHead, 'score', scores);
      if (action.type === 'none') continue;
      if (action.type === 'evict') {
        if (kept.length < count) cache.keep(layer, kvHead, kept);
        if (keptAction.type === 'none') continue;
      }
      acted.push(
        headToAct(acting, layer, kvHead, action.type === 'evict' ? undefined : kept, trace),
      );
    }
  });
  if (acted.length === 0) return;
  const used = action.type === 'evict' ? keptAction : action;
  const definition = ACTIONS[used.type] as ActionDefinition | undefined;
  if (!definition) throw new RangeError(`invalid action: ${used.type} (no family defines it)`);
  const runs = definition.apply(acted, used, {
    model,
    corrector,
    unrotate,
    storage: policy.storage,
  });
  acted.forEach((head, i) => {
    put(cache, head, runs[i]!);
  });
}

function headToAct(
  { cache, config, policy }: Acting,
  layer: number,
  kvHead: number,
  kept: Int32Array | undefined,
  trace: QueryTrace,
): ActedHead {
  const head = cache.head(layer, kvHead);
  const all = Int32Array.from({ length: head.count }, (_, slot) => slot);
  const isKept = new Set(kept ?? all);
  const used = policy.action.type === 'evict' ? policy.keptAction : policy.action;
  const needs = (ACTIONS[used.type] as ActionDefinition | undefined)?.needs?.(used);
  const rows = needs?.windowQueries;
  return {
    layer,
    kvHead,
    headSize: config.headSize,
    keys: head.keys(),
    values: head.values(),
    positions: head.positions.slice(),
    multiplicity: head.multiplicity,
    rotatedKeys: head.rotatedKeys,
    scores: cache.meta(layer, kvHead, 'score')!,
    kept: kept ?? all,
    victims: all.filter((slot) => !isKept.has(slot)),
    ...(rows === undefined ? {} : { queries: trace.last(layer, kvHead, rows) }),
  };
}

/** Takes the runs into the cache; scores and saliency go with the text positions. */
function put(cache: SlotCache, head: ActedHead, runs: readonly SlotRun[]): void {
  const { layer, kvHead } = head;
  const saliency = cache.meta(layer, kvHead, 'saliency')?.slice();
  const scoreAt = new Map<number, number>();
  const saliencyAt = new Map<number, number>();
  head.positions.forEach((position, slot) => {
    scoreAt.set(position, head.scores[slot]!);
    if (saliency) saliencyAt.set(position, saliency[slot]!);
  });
  const positions = runs.flatMap((run) => [...run.positions]);
  const column = (at: ReadonlyMap<number, number>) =>
    Float32Array.from(positions, (position) => at.get(position) ?? 0);
  cache.replace(layer, kvHead, runs, column(scoreAt));
  if (saliency) cache.setMeta(layer, kvHead, 'saliency', column(saliencyAt));
}
