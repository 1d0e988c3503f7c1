import type { Transformer } from '../../transformer/types';
import { createSlotCache } from '../slots/slot-cache';
import type { HeadGates } from './classify';

/** A text whose last token asks for something that stands in it. */
export interface AskedText {
  readonly tokens: readonly number[];
  /** Spans that the answer stands in, [start, end). */
  readonly evidence: readonly (readonly [number, number])[];
}

/** Gates measured text by text, so that a page can show how far it is. */
export interface GateFit {
  add(text: AskedText): void;
  /** [layers][kvHeads]. @throws RangeError without a text */
  gates(): HeadGates;
}

/**
 * Gates by retrieval: the mean attention that the last token of a text, which the answer follows,
 * gives to where the answer stands; of a group's query heads the largest. What DuoAttention's gates
 * are trained to find, measured instead.
 */
export function createGateFit(model: Transformer): GateFit {
  const { layers, heads, kvHeads } = model.config;
  const group = heads / kvHeads;
  const sums = Array.from({ length: layers }, () => new Float64Array(heads));
  let texts = 0;
  return {
    add({ tokens, evidence }) {
      const cache = createSlotCache(model.config, { storage: 'f32' });
      cache.setObserver(({ layer, kvHead, rows, count, weights }) => {
        for (let member = 0; member < group; member++) {
          const last = ((rows - 1) * group + member) * count;
          const head = kvHead * group + member;
          for (const [start, end] of evidence) {
            for (let slot = start; slot < end; slot++) {
              sums[layer]![head]! += weights[last + slot]!;
            }
          }
        }
      });
      const positions = tokens.map((_, i) => i);
      model.forward({ tokens, positions, cache, logits: 'none' });
      texts++;
    },
    gates() {
      if (texts === 0) throw new RangeError('invalid texts: none (expected at least 1)');
      return sums.map((own) =>
        Array.from(
          { length: kvHeads },
          (_, kvHead) => Math.max(...own.subarray(kvHead * group, (kvHead + 1) * group)) / texts,
        ),
      );
    },
  };
}

/** Gates by retrieval over some texts. */
export function retrievalGates(model: Transformer, texts: readonly AskedText[]): HeadGates {
  const fit = createGateFit(model);
  for (const text of texts) fit.add(text);
  return fit.gates();
}
