import type { ComposeParams, ComposePositions } from '../../spec/kinds/compose';
import { type PositionRule, positionsOf, type SlotContext } from '../position/rules';
import { makeTable } from '../tables';
import { type NumberedMask, numberedMask } from './nodes';

/** Positions of a piece's queries [queries, axes] and keys [keys, axes] in one batch entry. */
export interface PiecePositions {
  readonly query: Float64Array;
  readonly key: Float64Array;
}

/**
 * Keys that one encoding of queries and keys serves: a kernel takes a dot product of rows, so that a
 * distance which depends on the pair is cut into pieces where it does not. Pieces are disjoint.
 */
export interface Piece extends NumberedMask {
  /** Empty where there is only one. The mask takes keys of a part; undefined takes all. */
  readonly name: string;
  readonly positions: (batch: number) => PiecePositions;
}

const everything: NumberedMask = { mask: undefined, numbers: [] };

/** The rule of lib/attention/position that the params name. */
export function ruleOf(positions: ComposePositions): PositionRule {
  switch (positions.type) {
    case 'decoupled':
      return positions.output === 'gap'
        ? { type: 'decoupled', output: 'gap', gapTokens: positions.gapTokens }
        : { type: 'decoupled', output: positions.output };
    case 'slot-index':
    case 'restart':
      return { type: positions.type };
    default:
      return positions;
  }
}

/** Slots of a batch entry with the tables that the rule reads. */
export function slotContext(
  { shape, seed, positions }: Pick<ComposeParams, 'shape' | 'seed' | 'positions'>,
  batch: number,
): SlotContext {
  const { queries, keys } = shape;
  const row = (values: Float32Array) => values.subarray(batch * keys, (batch + 1) * keys);
  switch (positions.type) {
    case 'restart':
    case 'shared-start': {
      const { meanDocumentTokens: meanTokens } = positions;
      const { values } = makeTable(
        { name: 'document', source: 'segments', meanTokens },
        { shape, seed },
      );
      return { queries, keys, documentOf: row(values) };
    }
    case 'decoupled': {
      const { meanRunTokens: meanTokens } = positions;
      const { values } = makeTable(
        { name: 'group', source: 'classes', classes: 2, meanTokens },
        { shape, seed },
      );
      return { queries, keys, groupOf: row(values) };
    }
    default:
      return { queries, keys };
  }
}

/** Slots that the query at a position finds in a cache of the first keys and the most recent ones. */
export function streamedSlots(
  { sinkTokens, recentTokens }: Extract<ComposePositions, { type: 'slot-index' }>,
  position: number,
): readonly number[] {
  const slots: number[] = [];
  for (let slot = 0; slot <= position; slot++) {
    if (slot < sinkTokens || position - slot < recentTokens) slots.push(slot);
  }
  return slots;
}

/**
 * The pieces of every part under the params' position rule.
 *
 * - clamped-far: near keys at their own distances; far ones as if the query stood `windowTokens` from
 *   a key at 0 (LM-Infinite)
 * - slot-index: recent keys, whose distance in the cache is that in the text; sinks, whose distance
 *   ends at the size of the cache (StreamingLLM). Evicted keys belong to no piece.
 */
export function piecesOf(
  params: Pick<ComposeParams, 'shape' | 'seed' | 'positions'>,
): readonly Piece[] {
  const { positions, shape } = params;
  const { queries, keys } = shape;
  const absolute = positionsOf({ type: 'absolute' }, { queries, keys });
  switch (positions.type) {
    case 'clamped-far': {
      const { windowTokens } = positions;
      const within = (text: string) => numberedMask(text, { far: windowTokens });
      const far = {
        query: new Float64Array(queries).fill(windowTokens),
        key: new Float64Array(keys),
      };
      return [
        { name: 'near', ...within('q - k <= far'), positions: () => absolute },
        { name: 'far', ...within('q - k > far'), positions: () => far },
      ];
    }
    case 'slot-index': {
      const { sinkTokens, recentTokens } = positions;
      const last = sinkTokens + recentTokens - 1;
      const sinks = {
        query: absolute.query.map((position) => Math.min(position, last)),
        key: absolute.key,
      };
      const recent = numberedMask('k <= q && q - k < recent && k >= sinks', {
        recent: recentTokens,
        sinks: sinkTokens,
      });
      return [
        { name: 'recent', ...recent, positions: () => absolute },
        ...(sinkTokens === 0
          ? []
          : [
              {
                name: 'sinks',
                ...numberedMask('k <= q && k < sinks', { sinks: sinkTokens }),
                positions: () => sinks,
              },
            ]),
      ];
    }
    case 'absolute':
      return [{ name: '', ...everything, positions: () => absolute }];
    default: {
      const rule = ruleOf(positions);
      const made = Array.from({ length: shape.batch }, (_, batch) =>
        positionsOf(rule, slotContext(params, batch)),
      );
      return [{ name: '', ...everything, positions: (batch) => made[batch] ?? absolute }];
    }
  }
}
