import type { CacheSession, LayerBytes, Protocol, SlotView } from '../cache/types';
import type { TaskSample } from '../tasks/types';
import { END } from '../tasks/vocabulary';
import { createFullCache } from '../transformer/full-cache';
import { prefill } from '../transformer/generate';
import type { AttentionCache, Transformer } from '../transformer/types';

/** What a text position became in one head, in the order of `CacheLook.states`' numbers. */
export const SLOT_STATES = [
  'kept',
  'merged',
  'quantised',
  'projected',
  'offloaded',
  'dropped',
] as const satisfies readonly (SlotView['state'] | 'dropped')[];

/** One context under one policy: every position of every head, [layers, kvHeads, contextTokens]. */
export interface CacheLook {
  readonly layers: number;
  readonly kvHeads: number;
  readonly contextTokens: number;
  /** Index into `SLOT_STATES`. */
  readonly states: Uint8Array;
  /** Bytes of the slot that the position is in; 0 where dropped. */
  readonly bytes: Float32Array;
  /** Tokens that the slot stands for; 0 where dropped. */
  readonly multiplicity: Float32Array;
  /** What decided about it; NaN where the policy has no score or kept none. */
  readonly scores: Float32Array;
  /** Bytes of every layer and tier after compression, by what they are for. */
  readonly ledger: readonly LayerBytes[];
  /** What the question asked of it, and what came out. */
  readonly question: readonly number[];
  readonly answer: readonly number[];
  readonly generated: readonly number[];
}

/** Generated tokens that are looked at beyond the answer's own. */
export const SPARE_TOKENS = 2;

/**
 * Runs the first question of a sample through a session and reads every slot of the context as it
 * is after compression, before the question is asked (after it, where the policy saw it).
 */
export function lookAtCache(
  model: Transformer,
  session: CacheSession,
  sample: TaskSample,
  protocol: Protocol,
): CacheLook {
  const { layers, kvHeads } = model.config;
  const contextTokens = sample.context.length;
  const turn = sample.turns[0];
  const question = turn?.question ?? [];
  session.prefill(sample.context, {
    ...(protocol === 'known' && turn ? { question } : {}),
    ...(sample.chunkStarts ? { chunkStarts: sample.chunkStarts } : {}),
    ...(sample.edit ? { edit: sample.edit } : {}),
  });
  const size = layers * kvHeads * contextTokens;
  const states = new Uint8Array(size).fill(SLOT_STATES.indexOf('dropped'));
  const bytes = new Float32Array(size);
  const multiplicity = new Float32Array(size);
  const scores = new Float32Array(size).fill(Number.NaN);
  for (let layer = 0; layer < layers; layer++) {
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      const start = (layer * kvHeads + kvHead) * contextTokens;
      for (const slot of session.slots(layer, kvHead)) {
        if (slot.position >= contextTokens) continue;
        const at = start + slot.position;
        states[at] = SLOT_STATES.indexOf(slot.state);
        bytes[at] = slot.bytes;
        multiplicity[at] = slot.multiplicity;
        if (slot.score !== undefined) scores[at] = slot.score;
      }
    }
  }
  const ledger = session.ledger().layers;
  const answer = turn?.answer ?? [];
  const generated =
    turn === undefined ? [] : session.ask(question, answer.length + SPARE_TOKENS, new Set([END]));
  return {
    layers,
    kvHeads,
    contextTokens,
    states,
    bytes,
    multiplicity,
    scores,
    ledger,
    question,
    answer,
    generated,
  };
}

/**
 * Who attends to what with nothing dropped: the attention that the question and the true answer give
 * every context position in the full cache, mean over rows and over the query heads that share a KV
 * head, [layers, kvHeads, contextTokens].
 */
export function questionAttention(model: Transformer, sample: TaskSample): Float32Array {
  const { layers, kvHeads, heads } = model.config;
  const group = heads / kvHeads;
  const contextTokens = sample.context.length;
  const out = new Float32Array(layers * kvHeads * contextTokens);
  const turn = sample.turns[0];
  if (turn === undefined) return out;
  const full = createFullCache(model.config);
  prefill(model, full, sample.context, 0);
  const asked = [...turn.question, ...turn.answer];
  const observed: AttentionCache = {
    append: full.append,
    queryIndex: full.queryIndex,
    parts: full.parts,
    perQuery: false,
    observe({ layer, kvHead, rows, count, weights }) {
      const start = (layer * kvHeads + kvHead) * contextTokens;
      for (let row = 0; row < rows * group; row++) {
        for (let s = 0; s < contextTokens; s++) {
          out[start + s] = out[start + s]! + weights[row * count + s]! / (rows * group);
        }
      }
    },
  };
  prefill(model, observed, asked, contextTokens);
  return out;
}
