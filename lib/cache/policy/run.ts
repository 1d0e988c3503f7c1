import type { CachePolicy } from '../../spec/cache-policy';
import { argMax } from '../../transformer/generate';
import { type ModelSteps, runSteps } from '../../transformer/model-steps';
import { ropeOf } from '../../transformer/reference';
import type { ForwardHooks, Transformer } from '../../transformer/types';
import { documentsOf, type IndexRule, tableOf } from '../slots/index-rule';
import { createRotation } from '../slots/rotation';
import { createSlotCache, type SlotCacheOptions } from '../slots/slot-cache';
import type { SlotCache, SlotRetrieval, SlotSnapshot } from '../slots/types';
import type { CacheSession, SessionSteps } from '../types';
import { type Acting, actOn, capsOf, scoreLayers } from './act';
import { paidSlots, slotsPerHead } from './budget';
import { assertPolicy } from './checks';
import { gatesOf, type HeadGates } from './classify';
import { keptQueryRows } from './needs';
import { createReturns } from './returns';
import { accumulateSaliency } from './saliency';
import type { LayerScores } from './scorers';
import { createQueryTrace } from './trace';

export interface PolicySessionOptions {
  /** Texts that a classifier is fitted to, once for a model; the context itself where none are given. */
  readonly samples?: readonly (readonly number[])[];
  /** Gates in place of those that the classifier would find, [layers][kvHeads]. */
  readonly gates?: HeadGates;
  /** What will be asked and answered of a context, for oracles. */
  readonly future?: (context: readonly number[]) => readonly number[];
  /** Slots that each query attends to, once the context is in; all unless given. */
  readonly retrieve?: SlotRetrieval;
}

export interface PolicySession extends CacheSession {
  readonly policy: CachePolicy;
  readonly steps: SessionSteps;
  /** The cache of the present context. */
  cache(): SlotCache;
  /** Most slots that were held at the end of any layer, over all heads. */
  peakSlots(): number;
}

/**
 * A policy over a model. Scores are computed after the prefill over the queries that the trace kept,
 * the slots are acted on, and then questions come and answers are decoded, with the policy acting
 * again where its trigger says so.
 *
 * A question that is known at the prefill is run in sight of the policy, dropped, and run again over
 * what is left: no token of an answer comes from attention to the whole context. The budget holds for
 * the slots of the context; with the trigger `on-append` it holds for all slots from then on.
 *
 * A prompt shorter than a window is scored by all queries there are; a window longer than the budget
 * shrinks to it.
 *
 * @throws RangeError where the policy cannot work, naming what and where
 */
export function openPolicySession(
  policy: CachePolicy,
  model: Transformer,
  options: PolicySessionOptions = {},
): PolicySession {
  const { config } = model;
  assertPolicy(policy, { config });
  if (policy.scorer.type === 'future-attention' && !options.future) {
    throw new RangeError('missing future: the oracle scorer future-attention reads it');
  }
  const { trigger } = policy;
  const rotation = createRotation(ropeOf(config));
  const layers = Array.from({ length: config.layers }, (_, layer) => layer);
  let cache = createSlotCache(config, { storage: policy.storage });
  const returns = createReturns(policy, model, () => cache);
  let acting: Acting;
  let caps: number[][] = [];
  let contextTokens = 0;
  let contextIds: readonly number[] = [];
  let next = 0;
  let lastActed = 0;
  let peakSlots = 0;
  let start: { cache: SlotSnapshot; next: number; lastActed: number; restoreTrace: () => void };

  function* run(tokens: readonly number[], hooks?: ForwardHooks): ModelSteps<Float32Array> {
    returns.beforePass();
    const { logits } = yield {
      tokens,
      positions: tokens.map((_, i) => next + i),
      cache,
      hooks: {
        ...(hooks ? {} : { onlyRead: true }),
        onProjected: (layer, rows) => acting.trace.record(layer, rows),
        onLayerEnd(layer, hidden, rows) {
          peakSlots = Math.max(peakSlots, heldSlots());
          return hooks?.onLayerEnd?.(layer, hidden, rows);
        },
      },
    };
    next += tokens.length;
    return logits;
  }

  /** What is chosen query by query: what the caller asks for, or pages of what was offloaded. */
  function retrieval(): SlotCacheOptions {
    const { retrieve } = options;
    if (!retrieve) return returns.retrieval;
    return {
      retrieve: (layer, kvHead, query, head) =>
        query.position < contextTokens ? undefined : retrieve(layer, kvHead, query, head),
    };
  }

  function heldSlots(): number {
    let held = 0;
    for (const layer of layers) {
      for (let kvHead = 0; kvHead < config.kvHeads; kvHead++) held += cache.count(layer, kvHead);
    }
    return held;
  }

  /** Scores without those of slots from `end` on, which are gone. */
  function upTo(end: number, scored: readonly LayerScores[]): LayerScores[] {
    return scored.map((own, layer) => ({
      ...own,
      scores: own.scores.map((scores, kvHead) => {
        const { positions } = cache.head(layer, kvHead);
        return scores.subarray(0, Math.min(scores.length, countBelow(positions, end)));
      }),
    }));
  }

  /** Acts on all layers, by the queries that ran last; tokens from `end` on are dropped first. */
  function actAt(end: number, budget: number): void {
    const after = next - end;
    const isWhole = policy.selector.rule.type === 'top-k' && budget >= end;
    const isIdle = isWhole && policy.action.type === 'evict' && policy.keptAction.type === 'none';
    const scored = isIdle ? [] : upTo(end, scoreLayers(acting, layers, next));
    cache.truncate(end);
    next = end;
    lastActed = end;
    if (isIdle) {
      const paid = paidSlots(policy.budget, contextTokens, config, policy.storage);
      caps = layers.map(() => Array.from({ length: config.kvHeads }, () => paid));
      return;
    }
    caps = capsOf(acting, scored, budget, after);
    actOn(acting, layers, scored, caps, after);
    returns.acted(contextIds, scored);
    if (policy.allocator.type === 'classes') {
      // A head that needs the whole context goes on growing.
      caps = caps.map((own, layer) =>
        own.map((cap, head) => (cap < scored[layer]!.scores[head]!.length ? cap : Infinity)),
      );
    }
  }

  /** The prefill of one chunk with the budget split again after every layer, as in CAKE. */
  function* runCascade(tokens: readonly number[], end: number, budget: number): ModelSteps<void> {
    const scored: LayerScores[] = [];
    const text = next + tokens.length;
    yield* run(tokens, {
      onLayerEnd(layer) {
        scored.push(...scoreLayers(acting, [layer], text));
        const present = scored.map((own, at) => ({
          ...own,
          scores: own.scores.map(
            (scores, kvHead) => cache.meta(at, kvHead, 'score')?.slice() ?? scores,
          ),
        }));
        const done = layers.slice(0, layer + 1);
        // Later layers still attend to their own question; its slots of this layer are done with.
        for (let kvHead = 0; kvHead < config.kvHeads; kvHead++) {
          const { positions } = cache.head(layer, kvHead);
          const kept = Int32Array.from({ length: countBelow(positions, end) }, (_, slot) => slot);
          cache.keep(layer, kvHead, kept);
        }
        const inContext = upTo(end, present);
        caps = capsOf(acting, inContext, budget, text - end);
        actOn(acting, done, inContext, caps, text - end);
      },
    });
    cache.truncate(end);
    next = end;
    lastActed = end;
  }

  function actWhileDecoding(): void {
    if (trigger.type === 'on-append') {
      for (const layer of layers) {
        const own = caps[layer]!;
        if (own.every((cap, kvHead) => cache.count(layer, kvHead) <= cap)) continue;
        actOn(acting, [layer], scoreLayers(acting, [layer], next), [own], 0);
      }
    }
    if (trigger.type === 'every' && next - lastActed >= trigger.tokens) {
      lastActed = next;
      actOn(acting, layers, scoreLayers(acting, layers, next), caps, 0);
    }
  }

  function* answer(
    question: readonly number[],
    count: number,
    stop: ReadonlySet<number>,
  ): ModelSteps<number[]> {
    let logits = yield* run(question);
    const out: number[] = [];
    for (;;) {
      actWhileDecoding();
      const token = argMax(logits);
      if (stop.has(token)) return out;
      out.push(token);
      if (out.length === count) return out;
      logits = yield* run([token]);
    }
  }

  const steps: SessionSteps = {
    *prefill(context, { question = [], chunkStarts } = {}) {
      contextTokens = context.length;
      contextIds = context;
      returns.reset();
      next = 0;
      lastActed = 0;
      peakSlots = 0;
      cache = createSlotCache(config, {
        storage: policy.storage,
        rule: indexRule(policy.position, chunkStarts, contextTokens),
        ...retrieval(),
      });
      const gates = gatesOf(
        options.gates && policy.classifier.type !== 'none'
          ? { type: 'gates', gates: options.gates.map((own) => [...own]) }
          : policy.classifier,
        model,
        context,
        options.samples,
      );
      const trace = createQueryTrace(config, keptQueryRows(policy));
      acting = {
        policy,
        model,
        config,
        cache,
        trace,
        unrotate: rotation.undo,
        ...(gates ? { gates } : {}),
      };
      if (policy.scorer.type === 'attention' && policy.scorer.queries === 'all') {
        const group = config.heads / config.kvHeads;
        cache.setObserver(accumulateSaliency(cache, group, policy.reducers.group));
      }
      const budget = slotsPerHead(policy.budget, contextTokens, config, policy.storage);
      const isLater = trigger.type === 'on-question';
      const sight = options.future?.(context) ?? (isLater ? [] : question);
      const chunk = trigger.type === 'every' ? trigger.tokens : contextTokens;
      let at = 0;
      for (; at + chunk < contextTokens; at += chunk) {
        yield* run(context.slice(at, at + chunk));
        actAt(next, budget);
      }
      const rest = [...context.slice(at), ...sight];
      if (trigger.type === 'layer-cascade') yield* runCascade(rest, contextTokens, budget);
      else {
        yield* run(rest);
        if (!isLater) actAt(contextTokens, budget);
      }
      // What the policy needed beyond one pass over the context: the question twice, and the fit.
      const isFitted = !options.samples && !options.gates;
      const { classifier } = policy;
      const again =
        sight.length +
        (isFitted && classifier.type === 'mean-query' ? contextTokens : 0) +
        (isFitted && classifier.type === 'echo-induction'
          ? classifier.randomTokens * classifier.repeats
          : 0);
      cache.charge({ recomputedTokenLayers: again * config.layers });
      start = { cache: cache.snapshot(), next, lastActed, restoreTrace: trace.mark() };
    },
    *ask(question, count, stop) {
      if (trigger.type === 'on-question') {
        const end = next;
        yield* run(question);
        const budget = slotsPerHead(policy.budget, contextTokens, config, policy.storage);
        actAt(end, Math.min(end, budget + end - contextTokens));
        cache.charge({ recomputedTokenLayers: question.length * config.layers });
      }
      returns.rebuild();
      const out = yield* answer(question, count, stop);
      returns.release();
      return out;
    },
  };

  return {
    policy,
    cache: () => cache,
    peakSlots: () => peakSlots,
    steps,
    prefill: (...args) => runSteps(model, steps.prefill(...args)),
    ask: (...args) => runSteps(model, steps.ask(...args)),
    rewind() {
      returns.rewind();
      cache.restore(start.cache);
      ({ next, lastActed } = start);
      start.restoreTrace();
    },
    ledger: () => ({ ...returns.counted(cache.ledger()), tokensSeen: next }),
    slots: (layer, kvHead) => cache.slots(layer, kvHead),
    dropped: (layer, kvHead) => cache.dropped(layer, kvHead),
  };
}

function countBelow(positions: Int32Array, end: number): number {
  let count = 0;
  for (const position of positions) if (position < end) count++;
  return count;
}

function indexRule(
  position: CachePolicy['position'],
  chunkStarts: readonly number[] | undefined,
  tokens: number,
): IndexRule {
  if (position.type !== 'restart') return position;
  return tableOf({ type: 'restart' }, documentsOf(chunkStarts ?? [], tokens));
}
