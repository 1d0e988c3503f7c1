import { argMax } from '../../transformer/generate';
import { type ModelSteps, runSteps } from '../../transformer/model-steps';
import type { AttentionCache, Transformer } from '../../transformer/types';
import type {
  ByteLedger,
  CacheSession,
  EarlierText,
  LayerBytes,
  SessionSteps,
  SlotView,
} from '../types';
import type { RowCache } from './row-cache';

/** What a policy over a row cache does that is its own. */
export interface RowPolicy {
  readonly rows: RowCache;
  /** What questions and answers run over; `rows` unless given. */
  readonly cache?: AttentionCache;
  /**
   * Takes the context in.
   *
   * @param question in sight of the policy; it is run afterwards, when it is asked
   */
  encode(
    context: readonly number[],
    chunkStarts: readonly number[] | undefined,
    question: readonly number[] | undefined,
    edit?: EarlierText,
  ): void;
  /** Runs tokens after the context; a plain run over the cache unless given. */
  run?(tokens: readonly number[], start: number, kind: 'question' | 'answer'): Float32Array;
  /** `encode` and `run` as steps of the model, instead of those, for engines that must be waited for. */
  readonly steps?: {
    encode(...args: Parameters<RowPolicy['encode']>): ModelSteps<void>;
    run?(...args: Parameters<NonNullable<RowPolicy['run']>>): ModelSteps<Float32Array>;
  };
  /** Called after the tokens from the context's end on are gone. */
  rewind?(): void;
  /** What is held where, if not plainly the rows as they are held. */
  layerBytes?(): readonly LayerBytes[];
  movedBytes?(): number;
  recomputedTokenLayers?(): number;
  /** Slots that a head holds; its rows unless given. */
  slotCount?(layer: number, kvHead: number): number;
  /** Slots of a head where they are not plainly its rows. */
  slots?(layer: number, kvHead: number): readonly SlotView[] | undefined;
}

/**
 * A session over a row cache: the parts that every such policy shares. A question that is known at the
 * prefill is seen by the policy, and run when it is asked, over what the policy has left.
 */
export function openRowSession(model: Transformer, policy: RowPolicy): CacheSession {
  const { layers, kvHeads } = model.config;
  const { rows } = policy;
  const cache = policy.cache ?? rows;
  let contextTokens = 0;
  /** Takes the place of positions held: a policy may have dropped the last ones everywhere. */
  let next = 0;

  function* run(
    tokens: readonly number[],
    start: number,
    kind: 'question' | 'answer',
  ): ModelSteps<Float32Array> {
    if (policy.steps?.run) return yield* policy.steps.run(tokens, start, kind);
    if (policy.run) return policy.run(tokens, start, kind);
    return yield* plainRun(cache, tokens, start);
  }

  const steps: SessionSteps = {
    *prefill(context, { question, chunkStarts, edit } = {}) {
      if (policy.steps) yield* policy.steps.encode(context, chunkStarts, question, edit);
      else policy.encode(context, chunkStarts, question, edit);
      contextTokens = context.length;
      next = contextTokens;
    },
    *ask(question, count, stop) {
      if (question.length === 0) throw new RangeError('invalid question: none (expected a token)');
      let logits = yield* run(question, next, 'question');
      next += question.length;
      const start = next;
      const out: number[] = [];
      for (;;) {
        const token = argMax(logits);
        if (stop.has(token)) break;
        out.push(token);
        if (out.length === count) break;
        logits = yield* run([token], start + out.length - 1, 'answer');
      }
      next = Math.max(next, rows.end);
      return out;
    },
  };

  return {
    steps,
    prefill: (...args) => runSteps(model, steps.prefill(...args)),
    ask: (...args) => runSteps(model, steps.ask(...args)),
    rewind() {
      rows.truncate(contextTokens);
      policy.rewind?.();
      next = contextTokens;
    },
    ledger(): ByteLedger {
      const each = Array.from({ length: layers }, (_, layer) => layer);
      return {
        layers: policy.layerBytes?.() ?? each.map(plainBytes),
        slots: each.map((layer) =>
          Array.from(
            { length: kvHeads },
            (_, kvHead) => policy.slotCount?.(layer, kvHead) ?? rows.head(layer, kvHead).count,
          ),
        ),
        tokensSeen: next,
        movedBytes: policy.movedBytes?.() ?? 0,
        recomputedTokenLayers: policy.recomputedTokenLayers?.() ?? 0,
      };
    },
    slots(layer, kvHead) {
      const own = policy.slots?.(layer, kvHead);
      if (own) return own;
      return Array.from(rows.head(layer, kvHead).positions, (position) => ({
        position,
        multiplicity: 1,
        state: 'kept',
        bytes: rows.head(layer, kvHead).rowBytes,
      }));
    },
    dropped(layer, kvHead) {
      const held = new Set(rows.head(layer, kvHead).positions);
      return Array.from({ length: next }, (_, position) => position).filter((p) => !held.has(p));
    },
  };

  function plainBytes(layer: number): LayerBytes {
    let payload = 0;
    let positions = 0;
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      const head = rows.head(layer, kvHead);
      payload += head.storedKeys.byteLength + head.storedValues.byteLength;
      // A head that holds every token needs no list of positions: row and position are the same.
      if (head.count < next) positions += head.positions.byteLength;
    }
    return {
      layer,
      tier: 'device',
      bytes: { payload, scales: 0, indices: 0, factors: 0, summaries: 0, positions },
    };
  }
}

/** Tokens through the model in one step; logits after the last. */
export function* plainRun(
  cache: AttentionCache,
  tokens: readonly number[],
  start: number,
): ModelSteps<Float32Array> {
  const positions = tokens.map((_, i) => start + i);
  return (yield { tokens, positions, cache, logits: 'last' }).logits;
}
