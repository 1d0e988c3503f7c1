import type { ComposeParams, ComposePart, ComposePositions } from '../../spec/kinds/compose';
import type { ComposeEncoding } from '../../spec/kinds/encoding';
import { inputSteps } from '../inputs';
import { alibiSlopes, encodeRows, type PositionEncoding } from '../position/encoding';
import { makeRope, splitAxes } from '../position/rope-frequencies';
import { runSteps } from '../steps';
import type { Piece } from './pieces';

/** Queries, keys and values as they were made, before any encoding; see `AttentionShape`. */
export interface RawTensors {
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
}

type RawParams = Pick<ComposeParams, 'shape' | 'structure' | 'engine' | 'timedRuns' | 'seed'>;

const KEPT_BYTES = 128 * 2 ** 20;
/** Those made last: a cell's map asks for what its run made. */
let kept: { readonly of: string; readonly tensors: RawTensors } | undefined;

/**
 * The attention cell's seeded tensors, the channels of Q and K in reverse: scores without an encoding
 * are the same, and channels that carry structure are among those that turn slowest under RoPE, so
 * that sinks and needles stay where they are put. They are shared: nobody writes to them. Yields the
 * share done.
 */
export function* rawTensorSteps(params: RawParams): Generator<number, RawTensors> {
  const { shape, structure, engine, timedRuns, seed } = params;
  const of = JSON.stringify([shape, structure, seed]);
  if (kept?.of === of) return kept.tensors;
  const variant = { type: 'dense' } as const;
  const select = { type: 'none' } as const;
  const tensors = yield* inputSteps({
    shape,
    structure,
    inputs: { source: 'synthetic' },
    variant,
    select,
    engine,
    timedRuns,
    seed,
  });
  const { headSize } = shape;
  for (const rows of [tensors.query, tensors.key]) {
    for (let at = 0; at < rows.length; at += headSize) rows.subarray(at, at + headSize).reverse();
  }
  const { query, key, value } = tensors;
  const raw: RawTensors = { query, key, value };
  kept =
    query.byteLength + key.byteLength + value.byteLength > KEPT_BYTES
      ? undefined
      : { of, tensors: raw };
  return raw;
}

/** `rawTensorSteps` run to the end. */
export function rawTensors(params: RawParams): RawTensors {
  return runSteps(rawTensorSteps(params));
}

interface EncodedSize {
  readonly headSize: number;
  /** What dynamic NTK scales by. */
  readonly contextTokens: number;
  readonly heads: number;
  /** Shares of the pairs that turn by each part of a position, where it has several. */
  readonly sections?: readonly number[] | undefined;
}

/** Sections of the pairs under the params' position rule; undefined for positions of one part. */
export function sectionsOf(positions: ComposePositions): readonly number[] | undefined {
  return positions.type === 'multimodal' ? positions.sections : undefined;
}

/** An encoding of one head, ready to apply. */
export function encodingOf(
  encoding: ComposeEncoding,
  size: EncodedSize,
  head: number,
): PositionEncoding {
  switch (encoding.type) {
    case 'none':
      return encoding;
    case 'alibi':
      return { type: 'alibi', slope: alibiSlopes(size.heads)[head]! };
    default: {
      const { base, pairing, scaling } = encoding;
      const plain = makeRope({
        headSize: size.headSize,
        base,
        pairing,
        scaling:
          scaling.type === 'dynamic-ntk'
            ? { ...scaling, contextTokens: size.contextTokens }
            : scaling,
      });
      const rope = size.sections === undefined ? plain : splitAxes(plain, size.sections);
      if (encoding.type === 'rope') return { type: 'rope', rope };
      return { type: 'xpos', rope, gamma: encoding.gamma, scaleBase: encoding.scaleBase };
    }
  }
}

/** First channel and number of channels that a part reads of a head. */
export function channelRange(
  channels: ComposePart['channels'],
  headSize: number,
): { readonly start: number; readonly size: number } {
  if (channels === 'all') return { start: 0, size: headSize };
  return { start: channels === 'first-half' ? 0 : headSize / 2, size: headSize / 2 };
}

/** Some channels of rows, [rows, size], from [rows, headSize]. */
export function takeChannels(
  rows: ArrayLike<number>,
  headSize: number,
  { start, size }: { readonly start: number; readonly size: number },
): ArrayLike<number> {
  if (size === headSize) return rows;
  return Float64Array.from({ length: (rows.length / headSize) * size }, (_, i) => {
    return rows[Math.floor(i / size) * headSize + start + (i % size)]!;
  });
}

/**
 * Queries or keys of a part's piece as a kernel takes them: encoded in f64 at the piece's positions,
 * queries over the temperature, channels that the part does not read 0, rounded to f32 once. A half
 * of the channels is a head of half the size: sqrt(2) makes up for the kernel's scale.
 *
 * @returns the tensor, whose shape is the raw one's; yields the share of heads done
 */
export function* encodeSteps(
  params: Pick<ComposeParams, 'shape' | 'encoding' | 'positions'>,
  part: Pick<ComposePart, 'channels' | 'temperature'>,
  piece: Piece,
  raw: RawTensors,
  role: 'query' | 'key',
): Generator<number, Float32Array> {
  const { batch, queryHeads, kvHeads, queries, keys, headSize } = params.shape;
  const range = channelRange(part.channels, headSize);
  const half = Math.sqrt(headSize / range.size);
  const factor = role === 'query' ? half / part.temperature : 1;
  const { type } = params.encoding;
  const isPlain = type === 'none' || type === 'alibi';
  if (isPlain && factor === 1 && range.size === headSize) return raw[role];
  const heads = role === 'query' ? queryHeads : kvHeads;
  const rows = role === 'query' ? queries : keys;
  const out = new Float32Array(raw[role].length);
  const sections = sectionsOf(params.positions);
  const size = { headSize: range.size, contextTokens: keys, heads: queryHeads, sections };
  for (let i = 0; i < batch * heads; i++) {
    const start = i * rows * headSize;
    const head = takeChannels(raw[role].subarray(start, start + rows * headSize), headSize, range);
    const positions = piece.positions(Math.floor(i / heads))[role];
    // The bias of ALiBi is no matter of rows, so that any head's encoding will do here.
    const encoded = encodeRows(head, positions, encodingOf(params.encoding, size, 0), role);
    for (let row = 0; row < rows; row++) {
      for (let d = 0; d < range.size; d++) {
        out[start + row * headSize + range.start + d] = factor * encoded[row * range.size + d]!;
      }
    }
    yield (i + 1) / (batch * heads);
  }
  return out;
}
