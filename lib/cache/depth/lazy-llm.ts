import { halvesToNumbers, roundToHalves } from '../../attention/quantise/half';
import type { Transformer } from '../../transformer/types';
import { topIndices } from '../retrieve/choose';
import { createRowCache } from '../rows/row-cache';
import { openRowSession } from '../rows/row-session';
import type { LayerBytes, SessionFactory } from '../types';
import { createActiveCache } from './active-cache';

export interface LazyLlmOptions {
  /** Share of a layer's context tokens that the next layer does not see; ours, the same at each layer. */
  readonly dropShare?: number;
  /** Tokens that were dropped may come back from the auxiliary cache; off for comparison. */
  readonly revive?: boolean;
}

/**
 * LazyLLM (Fu et al., 2024): behind every layer the context tokens that the last token attends to
 * least, by the mean over heads, do not go on; what they were at that point lies in an auxiliary
 * cache, and a later step that wants one there runs it from that layer on. A token runs through a
 * layer once at most. Tokens of questions and answers always go on.
 */
export function lazyLlmSession({
  dropShare = 0.3,
  revive = true,
}: LazyLlmOptions = {}): SessionFactory {
  if (!(dropShare >= 0 && dropShare < 1)) {
    throw new RangeError(`invalid dropShare: ${dropShare} (expected 0 up to below 1)`);
  }
  return {
    label: `LazyLLM, drops ${Math.round(dropShare * 100)} % per layer${revive ? '' : ', no revival'}`,
    open(model) {
      const { layers } = model.config;
      const rows = createRowCache(model.config);
      const active = createActiveCache(model.config, rows);
      const auxiliary = emptyAuxiliary(layers);
      let contextTokens = 0;
      let context: readonly number[] = [];
      let restoreRows = () => {};
      let afterContext = emptyAuxiliary(layers);

      /** Runs new tokens through all layers, and with them the context tokens that come back. */
      function step(tokens: readonly number[], start: number): Float32Array {
        const fresh = tokens.map((_, i) => start + i);
        const isContext = start < contextTokens;
        let stream = embed(model, tokens);
        let goingOn = isContext ? [] : Array.from({ length: contextTokens }, (_, p) => p);
        let logits: Float32Array = new Float32Array(0);
        let current = fresh;
        for (let layer = 0; layer < layers; layer++) {
          const held = rows.head(layer, 0);
          const missing = goingOn.filter((p) => held.rowOf(p) < 0);
          const back = revive ? missing : [];
          const known = new Set(missing);
          const visible = revive ? goingOn : goingOn.filter((p) => !known.has(p));
          const run = [...back, ...current];
          const input = joinRows(
            back.map((p) => halvesToNumbers(auxiliary[layer]!.get(p)!)),
            stream,
          );
          for (const p of back) auxiliary[layer]!.delete(p);
          active.show(visible, current[0]!);
          const result = model.forward({
            tokens: run.map((p) => (p < contextTokens ? context[p]! : tokens[p - start]!)),
            positions: run,
            cache: active.cache,
            fromLayer: layer,
            toLayer: layer + 1,
            hidden: input,
            logits: layer === layers - 1 ? 'last' : 'none',
            hooks: { onProjected: active.watch },
          });
          logits = result.logits;
          if (layer === layers - 1) break;
          const { hiddenSize } = model.config;
          const rowAt = (i: number) => result.hidden.slice(i * hiddenSize, (i + 1) * hiddenSize);
          const candidates = isContext ? current : visible;
          const keep = Math.ceil(candidates.length * (1 - dropShare));
          const scores = importance(active, layer, candidates);
          // The last token says what matters, and goes on whatever it thinks of itself.
          if (isContext) scores[candidates.length - 1] = Infinity;
          const kept = topIndices(scores, keep);
          const next = new Set(Array.from(kept, (i) => candidates[i]!));
          if (isContext) {
            const left: Float32Array[] = [];
            run.forEach((p, i) => {
              if (next.has(p)) left.push(rowAt(i));
              else auxiliary[layer + 1]!.set(p, roundToHalves(rowAt(i)));
            });
            current = current.filter((p) => next.has(p));
            stream = joinRows(left, new Float32Array(0));
          } else {
            back.forEach((p, i) => {
              auxiliary[layer + 1]!.set(p, roundToHalves(rowAt(i)));
            });
            goingOn = candidates.filter((p) => next.has(p));
            stream = result.hidden.slice(back.length * hiddenSize);
          }
        }
        return logits;
      }

      return openRowSession(model, {
        rows,
        encode(tokens) {
          context = tokens;
          contextTokens = tokens.length;
          step(tokens, 0);
          restoreRows = rows.snapshot();
          afterContext = auxiliary.map((map) => new Map(map));
        },
        run: step,
        rewind() {
          restoreRows();
          afterContext.forEach((map, layer) => {
            auxiliary[layer] = new Map(map);
          });
        },
        layerBytes: () =>
          Array.from({ length: layers }, (_, layer) =>
            bytesOf(model, layer, rows, auxiliary[layer]!.values()),
          ),
      });
    },
  };
}

function emptyAuxiliary(layers: number): Map<number, Uint16Array>[] {
  return Array.from({ length: layers }, () => new Map());
}

function importance(
  active: ReturnType<typeof createActiveCache>,
  layer: number,
  candidates: readonly number[],
): Float64Array {
  const scores = active.lastAttention(layer);
  return Float64Array.from(candidates, (position) => scores.get(position) ?? 0);
}

function embed(model: Transformer, tokens: readonly number[]): Float32Array {
  const { hiddenSize } = model.config;
  return joinRows(
    tokens.map((token) =>
      model.weights.embedding.subarray(token * hiddenSize, (token + 1) * hiddenSize),
    ),
    new Float32Array(0),
  );
}

function joinRows(rows: readonly Float32Array[], behind: Float32Array): Float32Array {
  const length = rows.reduce((sum, row) => sum + row.length, 0);
  const out = new Float32Array(length + behind.length);
  let at = 0;
  for (const row of rows) {
    out.set(row, at);
    at += row.length;
  }
  out.set(behind, at);
  return out;
}

function bytesOf(
  model: Transformer,
  layer: number,
  rows: ReturnType<typeof createRowCache>,
  waiting: Iterable<Uint16Array>,
): LayerBytes {
  let payload = 0;
  let positions = 0;
  for (let kvHead = 0; kvHead < model.config.kvHeads; kvHead++) {
    const head = rows.head(layer, kvHead);
    payload += head.storedKeys.byteLength + head.storedValues.byteLength;
    positions += head.positions.byteLength;
  }
  for (const hidden of waiting) payload += hidden.byteLength;
  return {
    layer,
    tier: 'device',
    bytes: { payload, scales: 0, indices: 0, factors: 0, summaries: 0, positions },
  };
}
