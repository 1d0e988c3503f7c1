import { createCopyMarks } from '../../transformer/copy-marks';
import { ropeOf } from '../../transformer/reference';
import type {
  AttendedRows,
  AttentionPart,
  QueryRow,
  TransformerConfig,
} from '../../transformer/types';
import {
  decode,
  emptyHead,
  type HeadState,
  headOf,
  hostRunsOf,
  withAppended,
  withKept,
} from './head-state';
import { appendedIndices, followsRanks, type IndexRule, queryIndexOf } from './index-rule';
import { layerBytes, slotViews } from './ledger';
import { createRotation } from './rotation';
import { createScratch, type Scratch } from './scratch';
import type { HeadSlots, SlotCache, SlotRetrieval, SlotStorage } from './types';

export interface SlotCacheOptions {
  /** `f16` unless given: what compression ratios are against. */
  readonly storage?: SlotStorage;
  /** Absolute unless given. */
  readonly rule?: IndexRule;
  /** Chooses slots per query; all slots unless given. */
  readonly retrieve?: SlotRetrieval;
  /** Whether `retrieve` has anything to choose from now; always unless given. */
  readonly isRetrieving?: () => boolean;
}

/** @param config the model's */
export function createSlotCache(
  config: TransformerConfig,
  { storage = 'f16', rule = { type: 'absolute' }, retrieve, isRetrieving }: SlotCacheOptions = {},
): SlotCache {
  const { headSize, kvHeads, layers } = config;
  const rotation = createRotation(ropeOf(config));
  let heads: HeadState[] = Array.from({ length: layers * kvHeads }, emptyHead);
  const scratches: Scratch[] = heads.map(() => createScratch(headSize, rule, rotation));
  const marks = createCopyMarks(heads.length);
  let tokensSeen = 0;
  let movedBytes = 0;
  let recomputedTokenLayers = 0;
  let observer: ((attended: AttendedRows) => void) | undefined;

  const at = (layer: number, kvHead: number) => {
    if (!(layer >= 0 && layer < layers)) {
      throw new RangeError(`invalid layer: ${layer} (expected 0..${layers - 1})`);
    }
    if (!(kvHead >= 0 && kvHead < kvHeads)) {
      throw new RangeError(`invalid kvHead: ${kvHead} (expected 0..${kvHeads - 1})`);
    }
    return layer * kvHeads + kvHead;
  };
  const stateOf = (layer: number, kvHead: number) => heads[at(layer, kvHead)]!;

  function viewOf(index: number): HeadSlots {
    const head = heads[index]!;
    const { count } = head;
    return {
      count,
      positions: head.positions.subarray(0, count),
      multiplicity: head.multiplicity?.subarray(0, count) ?? new Float32Array(count).fill(1),
      keys: () => decode(head, 'keys', 0, headSize),
      values: () => decode(head, 'values', 0, headSize),
      rotatedKeys: () => scratches[index]!.read(head).keys,
      hostRuns: () => hostRunsOf(head),
    };
  }

  return {
    storage,
    get tokensSeen() {
      return tokensSeen;
    },
    get perQuery() {
      return (retrieve !== undefined && (isRetrieving?.() ?? true)) || rule.type === 'clamped-far';
    },
    get observe() {
      return observer;
    },
    setObserver(next) {
      observer = next;
    },
    append(layer, { rows, keys, values, positions }, takes) {
      const all = Int32Array.from({ length: rows }, (_, row) => row);
      for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
        const index = at(layer, kvHead);
        const taken = takes ? all.filter((row) => takes(kvHead, positions[row]!)) : all;
        if (taken.length === 0) continue;
        const columns = [keys, values].map((from) => {
          const one = new Float32Array(taken.length * headSize);
          taken.forEach((row, i) => {
            const start = (row * kvHeads + kvHead) * headSize;
            one.set(from.subarray(start, start + headSize), i * headSize);
          });
          return one;
        });
        const own = taken.map((row) => positions[row]!);
        const head = heads[index]!;
        heads[index] = withAppended(head, storage, headSize, columns[0]!, columns[1]!, own);
      }
      tokensSeen = Math.max(tokensSeen, positions[rows - 1]! + 1);
    },
    queryIndex(layer, kvHead, position) {
      const head = stateOf(layer, kvHead);
      return queryIndexOf(rule, head.positions.subarray(0, head.count), position);
    },
    parts(layer, kvHead, query?: QueryRow): readonly AttentionPart[] {
      const index = at(layer, kvHead);
      const head = heads[index]!;
      const { keys, values } = scratches[index]!.read(head, query?.position);
      const part: AttentionPart = {
        count: head.count,
        keys,
        values,
        positions: head.positions.subarray(0, head.count),
        ...(head.multiplicity
          ? { logMultiplicity: head.multiplicity.subarray(0, head.count).map(Math.log) }
          : {}),
      };
      const picked = query && retrieve?.(layer, kvHead, query, viewOf(index));
      return [picked ? rowsOf(part, picked, headSize) : part];
    },
    count: (layer, kvHead) => stateOf(layer, kvHead).count,
    head: (layer, kvHead) => viewOf(at(layer, kvHead)),
    keep(layer, kvHead, slots) {
      const index = at(layer, kvHead);
      heads[index] = withKept(heads[index]!, slots, headSize);
    },
    replace(layer, kvHead, runs, scores) {
      heads[at(layer, kvHead)] = headOf(runs, storage, headSize, scores);
    },
    truncate(position) {
      heads = heads.map((head) => {
        const kept = Int32Array.from({ length: head.count }, (_, slot) => slot).filter(
          (slot) => head.positions[slot]! < position,
        );
        return kept.length === head.count ? head : withKept(head, kept, headSize);
      });
      tokensSeen = Math.min(tokensSeen, position);
    },
    meta(layer, kvHead, column) {
      const head = stateOf(layer, kvHead);
      return head.meta.get(column)?.subarray(0, head.count);
    },
    setMeta(layer, kvHead, column, values) {
      const index = at(layer, kvHead);
      const head = heads[index]!;
      if (values.length !== head.count) {
        throw new RangeError(`invalid ${column} length: ${values.length} (expected ${head.count})`);
      }
      heads[index] = { ...head, meta: new Map(head.meta).set(column, values) };
    },
    snapshot: () => ({ heads: heads.slice(), tokensSeen }),
    restore(saved) {
      // What was moved and computed again has been, wherever the text goes back to.
      heads = saved.heads.slice();
      ({ tokensSeen } = saved);
      scratches.forEach((scratch, index) => {
        scratch.limit(heads[index]!.count);
        marks.limit(index, heads[index]!.count);
      });
    },
    copied: {
      storage,
      positions: (layer, kvHead) => positionsIn(stateOf(layer, kvHead)),
      indicesOf: (layer, kvHead, positions) =>
        appendedIndices(rule, positionsIn(stateOf(layer, kvHead)), positions),
      mark(layer, kvHead) {
        const index = at(layer, kvHead);
        const { version, count } = heads[index]!;
        return marks.mark(index, version, count);
      },
      same(layer, kvHead, mark) {
        const index = at(layer, kvHead);
        const { version, count, before } = heads[index]!;
        return marks.same(index, mark, version, count, followsRanks(rule) ? [] : before);
      },
    },
    charge(cost) {
      movedBytes += cost.movedBytes ?? 0;
      recomputedTokenLayers += cost.recomputedTokenLayers ?? 0;
    },
    ledger() {
      const perLayer = Array.from({ length: layers }, (_, layer) =>
        heads.slice(layer * kvHeads, (layer + 1) * kvHeads),
      );
      return {
        layers: layerBytes(perLayer),
        slots: perLayer.map((own) => own.map(({ count }) => count)),
        tokensSeen,
        movedBytes,
        recomputedTokenLayers,
      };
    },
    slots: (layer, kvHead) => slotViews(stateOf(layer, kvHead), headSize),
    dropped(layer, kvHead) {
      const head = stateOf(layer, kvHead);
      const held = new Set(head.positions.subarray(0, head.count));
      return Array.from({ length: tokensSeen }, (_, position) => position).filter(
        (position) => !held.has(position),
      );
    },
  };
}

const positionsIn = ({ positions, count }: HeadState) => positions.subarray(0, count);

function rowsOf(part: AttentionPart, picked: Int32Array, headSize: number): AttentionPart {
  const rows = (from: Float32Array) => {
    const out = new Float32Array(picked.length * headSize);
    picked.forEach((slot, i) => {
      out.set(from.subarray(slot * headSize, (slot + 1) * headSize), i * headSize);
    });
    return out;
  };
  const { logMultiplicity } = part;
  return {
    count: picked.length,
    keys: rows(part.keys),
    values: rows(part.values),
    positions: picked.map((slot) => part.positions[slot]!),
    ...(logMultiplicity
      ? { logMultiplicity: Float32Array.from(picked, (slot) => logMultiplicity[slot]!) }
      : {}),
  };
}
