import { type ModelSteps, runSteps } from '../../transformer/model-steps';
import type { AttentionCache, AttentionPart, QueryRow } from '../../transformer/types';
import { createRowCache } from '../rows/row-cache';
import { openRowSession, plainRun } from '../rows/row-session';
import type { LayerQueries } from '../rows/window-attention';
import type { BufferRole, LayerBytes, SessionFactory } from '../types';
import type { ContextHead, HeadIndex, PhasedQuery, RetrievalPolicy, Retriever } from './types';

interface IndexedHead {
  readonly head: ContextHead;
  readonly index: HeadIndex;
  readonly always: ReadonlySet<number>;
  /** Rows that the last choice brought to the device. */
  fetched: ReadonlySet<number>;
}

/**
 * A context whose slots are chosen for every query row. Nothing is lost: the context is read densely
 * and kept whole; a query attends to the rows its head's index chooses and to all that came after the
 * context. Rows that the query before had chosen too are not moved again.
 */
export function retrievalSession(policy: RetrievalPolicy): SessionFactory {
  return {
    label: policy.label,
    open(model) {
      const { layers, kvHeads, headSize } = model.config;
      const rows = createRowCache(model.config);
      let retriever: Retriever | undefined;
      let indexed: IndexedHead[] = [];
      let contextTokens = 0;
      let movedRows = 0;
      let phase: PhasedQuery['phase'] = 'question';
      const all = rows.head(0, 0).rowBytes;
      const rowBytes = policy.moves === 'values' ? all / 2 : all;

      function fetch(at: IndexedHead, chosen: Int32Array): void {
        if (!policy.offload) return;
        const fetched = new Set<number>();
        for (const row of chosen) {
          if (at.always.has(row)) continue;
          fetched.add(row);
          if (!at.fetched.has(row)) movedRows++;
        }
        at.fetched = fetched;
      }

      function parts(layer: number, kvHead: number, query?: QueryRow): readonly AttentionPart[] {
        const at = indexed[layer * kvHeads + kvHead];
        if (!at || !query) return rows.parts(layer, kvHead);
        const chosen = at.index.choose({ ...query, phase });
        fetch(at, chosen);
        const { rotated, values, positions, count } = at.head.rows;
        const keys = at.index.keys ?? rotated;
        return [
          gathered(chosen, keys, values, positions, headSize),
          {
            count: count - contextTokens,
            keys: rotated.subarray(contextTokens * headSize),
            values: values.subarray(contextTokens * headSize),
            positions: positions.subarray(contextTokens),
          },
        ];
      }

      const cache: AttentionCache = {
        append: rows.append,
        queryIndex: rows.queryIndex,
        parts,
        get perQuery() {
          return indexed.length > 0;
        },
      };

      function* encode(context: readonly number[]): ModelSteps<void> {
        contextTokens = context.length;
        retriever = policy.open(model, contextTokens);
        const wanted = retriever.windowRows ?? 0;
        const window: LayerQueries[] = [];
        yield {
          tokens: context,
          positions: context.map((_, i) => i),
          cache: rows,
          logits: 'none',
          hooks: {
            onlyRead: true,
            onProjected(_, projected) {
              const kept = Math.min(wanted, projected.rows);
              const from = projected.rows - kept;
              const width = projected.queries.length / projected.rows;
              window.push({
                rows: kept,
                queries: projected.queries.slice(from * width),
                positions: projected.positions.slice(from),
              });
            },
          },
        };
        const all = Array.from({ length: layers }, (_, layer) =>
          Array.from({ length: kvHeads }, (_, kvHead) => rows.head(layer, kvHead)),
        );
        indexed = Array.from({ length: layers * kvHeads }, (_, i) => {
          const layer = Math.floor(i / kvHeads);
          const kvHead = i % kvHeads;
          const held = all[layer]![kvHead]!;
          const head = { layer, kvHead, headSize, count: contextTokens, rows: held, all };
          const index = retriever!.indexHead(head, window);
          return { head, index, always: new Set(index.resident ?? []), fetched: new Set() };
        });
      }

      return openRowSession(model, {
        rows,
        cache,
        encode: (context) => runSteps(model, encode(context)),
        steps: {
          encode,
          *run(tokens, start, kind) {
            phase = kind;
            return yield* plainRun(cache, tokens, start);
          },
        },
        rewind() {
          for (const at of indexed) {
            at.index.reset?.();
            at.fetched = new Set();
          }
        },
        movedBytes: () => movedRows * rowBytes,
        layerBytes: () =>
          Array.from({ length: layers }, (_, layer) =>
            bytesOf(layer, indexed.slice(layer * kvHeads, (layer + 1) * kvHeads)),
          ).flat(),
        slots(layer, kvHead) {
          const at = indexed[layer * kvHeads + kvHead];
          if (!at || !policy.offload) return undefined;
          return Array.from(at.head.rows.positions, (position, row) => ({
            position,
            multiplicity: 1,
            state:
              row >= contextTokens || at.always.has(row) || at.fetched.has(row)
                ? ('kept' as const)
                : ('offloaded' as const),
            bytes: all,
          }));
        },
      });

      function bytesOf(layer: number, heads: readonly IndexedHead[]): LayerBytes[] {
        const device = noBytes();
        const host = noBytes();
        for (const { head, index, always, fetched } of heads) {
          const gone = index.unreachable?.length ?? 0;
          device.payload += (head.rows.count - contextTokens) * all;
          if (policy.offload) {
            host.payload += (contextTokens - gone - always.size) * rowBytes;
            device.payload += always.size * all + fetched.size * rowBytes;
          } else device.payload += (contextTokens - gone) * all;
          for (const { role, data } of index.buffers) device[role] += data.byteLength;
        }
        for (const { role, data } of retriever?.layerBuffers?.(layer) ?? []) {
          device[role] += data.byteLength;
        }
        const list: LayerBytes[] = [{ layer, tier: 'device', bytes: device }];
        return policy.offload ? [...list, { layer, tier: 'host', bytes: host }] : list;
      }
    },
  };
}

function noBytes(): Record<BufferRole, number> {
  return { payload: 0, scales: 0, indices: 0, factors: 0, summaries: 0, positions: 0 };
}

function gathered(
  chosen: Int32Array,
  keys: Float32Array,
  values: Float32Array,
  positions: Int32Array,
  headSize: number,
): AttentionPart {
  const count = chosen.length;
  const part = {
    count,
    keys: new Float32Array(count * headSize),
    values: new Float32Array(count * headSize),
    positions: new Int32Array(count),
  };
  chosen.forEach((row, i) => {
    part.keys.set(keys.subarray(row * headSize, (row + 1) * headSize), i * headSize);
    part.values.set(values.subarray(row * headSize, (row + 1) * headSize), i * headSize);
    part.positions[i] = positions[row]!;
  });
  return part;
}
