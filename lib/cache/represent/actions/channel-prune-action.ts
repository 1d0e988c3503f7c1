import { type ActedHead, type ActionDefinition, headByHead, plainRun } from '../../policy/actions';
import { channelScores, keptChannels, pairScores, prunedChannels } from '../channels';
import { encodeHalf } from '../codecs/float';
import { encodedPair } from '../encode';
import type { EncodedMatrix, Matrix } from '../matrix';
import { queryRows, splitSlots } from './encode-action';

type Turn = (key: Float32Array, position: number) => void;

/**
 * The key channels that the last queries look at least are dropped (ThinK, Xu et al. 2024). Before
 * RoPE whole pairs go; after it, single channels of the rotated keys, as in the paper, which holds
 * only while slots keep their positions.
 */
export const channelPruneAction: ActionDefinition<'channel-prune'> = {
  needs: ({ windowQueries }) => ({ windowQueries }),
  ...headByHead<'channel-prune'>((head, action, { unrotate }) => {
    const { encoded, plain } = splitSlots(head, action.slots, action.recentTokens);
    const rest = plainRun(head, plain);
    if (encoded.length === 0) return [rest];
    if (action.rope === 'before' && !action.keepPairs) {
      throw new RangeError('invalid keepPairs: false (expected true where keys are before RoPE)');
    }
    const queries = queryRows(head);
    if (!queries) {
      throw new RangeError(
        `channel-prune needs the last queries of layer ${head.layer}, KV head ${head.kvHead}`,
      );
    }
    const run = plainRun(head, encoded);
    const { headSize: columns, positions } = run;
    const rows = encoded.length;
    const turned = action.rope === 'after';
    const keys: Matrix = {
      rows,
      columns,
      data: turned ? pick(head.rotatedKeys(), encoded, columns) : run.keys,
    };
    const asked = turned ? rotatedQueries(head, queries, unrotate) : queries;
    const scores = action.keepPairs ? pairScores(asked, keys) : channelScores(asked, keys);
    const kept = keptChannels(scores, action.share, action.keepPairs);
    const pruned = prunedChannels(kept, encodeHalf)(keys);
    const values = encodeHalf({ rows, columns, data: run.values });
    return [
      {
        form: 'encoded',
        encoded: encodedPair(turned ? turnedBack(pruned, positions, unrotate) : pruned, values),
        state: 'projected',
        positions,
        ...(run.multiplicity ? { multiplicity: run.multiplicity } : {}),
      },
      rest,
    ];
  }),
};

function pick(from: Float32Array, slots: Int32Array, columns: number): Float32Array {
  const out = new Float32Array(slots.length * columns);
  slots.forEach((slot, i) => {
    out.set(from.subarray(slot * columns, (slot + 1) * columns), i * columns);
  });
  return out;
}

/** Queries at their positions: turning back by a negative position turns forth. */
function rotatedQueries(head: ActedHead, queries: Matrix, unrotate: Turn): Matrix {
  const { group, positions } = head.queries!;
  const data = queries.data.slice();
  for (let row = 0; row < queries.rows; row++) {
    const own = data.subarray(row * queries.columns, (row + 1) * queries.columns);
    unrotate(own, -positions[Math.floor(row / group)]!);
  }
  return { ...queries, data };
}

/** Rotated keys as they are before RoPE, so that the cache's rotation gives them again. */
function turnedBack(keys: EncodedMatrix, positions: Int32Array, unrotate: Turn): EncodedMatrix {
  return {
    ...keys,
    decode() {
      const out = keys.decode();
      positions.forEach((position, row) => {
        unrotate(out.subarray(row * keys.columns, (row + 1) * keys.columns), position);
      });
      return out;
    },
  };
}
