import type { ComposeParams, ComposePart } from '../../spec/kinds/compose';
import { encodeRows, type PositionEncoding, scoreBias } from '../position/encoding';
import { distanceOf, type Positions, positionsOf } from '../position/rules';
import { makeProgram, queryPosition } from '../program';
import { combineParts, partOf } from './combine';
import { earlierParts } from './earlier-parts';
import {
  channelRange,
  encodingOf,
  type RawTensors,
  sectionsOf,
  takeChannels,
} from './encode-heads';
import { emptyPartial } from './merge-partials';
import { ruleOf, slotContext, streamedSlots } from './pieces';
import type { PartialAttention } from './types';

/** What one row's scores are made from: slots that are cached, their positions and their encoded keys. */
interface RowKeys {
  readonly slots: ArrayLike<number> | undefined;
  readonly positions: Positions;
  readonly queryRow: number;
  readonly near: Float64Array;
  /** Keys as pairs beyond the largest distance see them. */
  readonly far: Float64Array | undefined;
}

/**
 * A row of the composition in f64 by its definition: no pieces, no rounding, distances pair by pair
 * from lib/attention/position. What the kernels' way is held against.
 *
 * @param gates of the KV heads; for rule gate
 * @param options.atTextPositions the same keys, every slot at its place in the text
 * @returns a function of batch, query head and query (counted from the first query): output [headSize]
 */
export function rowReference(
  params: ComposeParams,
  raw: RawTensors,
  gates: ArrayLike<number> | undefined,
  options: { readonly atTextPositions?: boolean } = {},
): (batch: number, head: number, query: number) => Float64Array {
  const { shape } = params;
  const perKvHead = shape.queryHeads / shape.kvHeads;
  const parts = params.parts.map((part) =>
    partReference(params, raw, part, options.atTextPositions ?? false),
  );
  return (batch, head, query) =>
    combineParts(
      params,
      parts.map((partial, i) => partOf([partial(batch, head, query)], params.parts[i]!.lseScale)),
      gates?.[Math.floor(head / perKvHead)],
    );
}

function partReference(
  params: ComposeParams,
  raw: RawTensors,
  part: ComposePart,
  atTextPositions: boolean,
) {
  const { shape, seed } = params;
  const { queryHeads, kvHeads, queries, keys, headSize } = shape;
  const { isVisible, modify } = makeProgram({ shape, seed, variant: part.variant });
  const earlier = earlierParts(params, part).map(({ variant }) =>
    makeProgram({ shape, seed, variant }),
  );
  const range = channelRange(part.channels, headSize);
  const sections = atTextPositions ? undefined : sectionsOf(params.positions);
  const size = { headSize: range.size, contextTokens: keys, heads: queryHeads, sections };
  const scale = 1 / Math.sqrt(range.size) / part.temperature;
  const keysOf = rowKeys(params, raw, part, atTextPositions);

  return (batch: number, head: number, query: number): PartialAttention => {
    const kvHead = Math.floor((head * kvHeads) / queryHeads);
    const encoding = encodingOf(params.encoding, size, head);
    const row = keysOf(batch, kvHead, query, encoding);
    const { positions, queryRow } = row;
    const at = ((batch * queryHeads + head) * queries + query) * headSize;
    const rawQuery = takeChannels(raw.query.subarray(at, at + headSize), headSize, range);
    const encodeQuery = (position: ArrayLike<number>) =>
      encodeRows(rawQuery, position, encoding, 'query');
    const { axes } = positions;
    const near = encodeQuery(positions.query.subarray(queryRow * axes, (queryRow + 1) * axes));
    const far = row.far && encodeQuery([positions.maxDistance!]);
    const count = row.slots?.length ?? keys;
    const scores = new Float64Array(keys).fill(-Infinity);
    for (let i = 0; i < count; i++) {
      const slot = row.slots?.[i] ?? i;
      if (!isVisible(batch, head, query, slot)) continue;
      if (earlier.some((each) => each.isVisible(batch, head, query, slot))) continue;
      const distance = distanceOf(positions, queryRow, i);
      const isFar = far !== undefined && distance === positions.maxDistance;
      const q = isFar ? far : near;
      const k = isFar ? row.far! : row.near;
      let dot = 0;
      for (let d = 0; d < range.size; d++) dot += q[d]! * k[i * range.size + d]!;
      const score = dot * scale + scoreBias(encoding, distance) / part.temperature;
      scores[slot] = modify === undefined ? score : modify(batch, head, query, slot, score);
    }
    const valueStart = (batch * kvHeads + kvHead) * keys * headSize;
    const value = raw.value.subarray(valueStart, valueStart + keys * headSize);
    return softmaxRow(scores, value, headSize);
  };
}

/** Encoded keys by batch entry and KV head; the last ones are kept, rows come head by head. */
function rowKeys(
  params: ComposeParams,
  raw: RawTensors,
  part: ComposePart,
  atTextPositions: boolean,
) {
  const { shape, positions: rule } = params;
  const { kvHeads, queries, keys, headSize } = shape;
  const range = channelRange(part.channels, headSize);
  let known: { readonly name: string; readonly row: RowKeys } | undefined;
  return (batch: number, kvHead: number, query: number, encoding: PositionEncoding): RowKeys => {
    const name = `${batch} ${kvHead}`;
    if (rule.type !== 'slot-index' && known?.name === name) {
      return { ...known.row, queryRow: query };
    }
    const start = (batch * kvHeads + kvHead) * keys * headSize;
    const head = takeChannels(raw.key.subarray(start, start + keys * headSize), headSize, range);
    if (rule.type === 'slot-index') {
      const position = queryPosition(shape, query);
      const slots = streamedSlots(rule, position);
      const context = { queries: 1, keys: position + 1, keptSlots: slots };
      const positions = positionsOf({ type: atTextPositions ? 'absolute' : 'slot-index' }, context);
      const kept = Float64Array.from({ length: slots.length * range.size }, (_, i) => {
        return head[slots[Math.floor(i / range.size)]! * range.size + (i % range.size)]!;
      });
      const near = encodeRows(kept, positions.key, encoding, 'key');
      return { slots, positions, queryRow: 0, near, far: undefined };
    }
    const positions = positionsOf(atTextPositions ? { type: 'absolute' } : ruleOf(rule), {
      ...slotContext(params, batch),
      queries,
      keys,
    });
    const near = encodeRows(head, positions.key, encoding, 'key');
    const far =
      positions.maxDistance === undefined
        ? undefined
        : encodeRows(head, new Float64Array(keys), encoding, 'key');
    const row = { slots: undefined, positions, queryRow: query, near, far };
    known = { name, row };
    return row;
  };
}

/** Softmax of scores [keys] over values [keys, valueSize]; -Infinity is not seen. */
function softmaxRow(
  scores: Float64Array,
  value: ArrayLike<number>,
  valueSize: number,
): PartialAttention {
  const part = emptyPartial(1, valueSize);
  const maximum = scores.reduce((most, score) => Math.max(most, score), -Infinity);
  if (maximum === -Infinity) return part;
  let sum = 0;
  for (let k = 0; k < scores.length; k++) {
    if (scores[k] === -Infinity) continue;
    const weight = Math.exp(scores[k]! - maximum);
    sum += weight;
    for (let d = 0; d < valueSize; d++) {
      part.output[d] = part.output[d]! + weight * value[k * valueSize + d]!;
    }
  }
  for (let d = 0; d < valueSize; d++) part.output[d] = part.output[d]! / sum;
  part.lse[0] = maximum + Math.log(sum);
  return part;
}
