import type { ComposeParams } from '../../spec/kinds/compose';
import { encodeRows } from '../position/encoding';
import { rerotate } from '../position/rope';
import { maxDifference } from './compare-rows';
import {
  channelRange,
  encodingOf,
  type RawTensors,
  sectionsOf,
  takeChannels,
} from './encode-heads';
import type { Piece } from './pieces';
import type { ComposeLaw } from './result';

/**
 * Moves KV head 0's keys, stored in f32 at the rule's positions (behind a text of the same length where
 * those are absolute), to their places in the text by one rotation, and compares with keys encoded
 * there. For RoPE only.
 */
export function rotationLaw(
  params: ComposeParams,
  raw: RawTensors,
  piece: Piece,
): ComposeLaw | undefined {
  const { shape, encoding, parts, positions } = params;
  if (encoding.type !== 'rope') return undefined;
  const { keys, headSize, queryHeads } = shape;
  const range = channelRange(parts[0]!.channels, headSize);
  const sections = sectionsOf(positions);
  const axes = sections?.length ?? 1;
  const size = { headSize: range.size, contextTokens: keys, heads: queryHeads, sections };
  const made = encodingOf(encoding, size, 0);
  if (made.type !== 'rope') return undefined;
  const rows = takeChannels(raw.key.subarray(0, keys * headSize), headSize, range);
  const to = Float64Array.from({ length: keys * axes }, (_, i) => Math.floor(i / axes));
  const own = piece.positions(0).key;
  const from = own.every((position, i) => position === to[i])
    ? own.map((position) => position + keys)
    : own;
  const stored = Float32Array.from(encodeRows(rows, from, made, 'key'));
  const expected = encodeRows(rows, to, made, 'key');
  const largest = expected.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
  const maxAbs = maxDifference(rerotate(stored, from, to, made.rope), expected);
  // Half a unit in the last place of both channels of a pair, each at most sqrt(2) x the largest.
  const tolerance = 2 * largest * 2 ** -23;
  return {
    name: 'keys stored in f32 and turned to their places = keys encoded there',
    maxAbs,
    tolerance,
    holds: maxAbs <= tolerance,
  };
}
