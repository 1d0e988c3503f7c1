import type { ComposeParams } from '../../spec/kinds/compose';
import type { AttentionOutput } from '../types';
import { combineParts, partOf, pieceMass } from './combine';
import { classifyHeads, type HeadClass } from './head-classes';
import { gatesOf } from './mix-heads';
import type { PartialAttention } from './types';

/** Outputs of the pieces of every part, in the params' order. */
export type PartOutputs = readonly (readonly AttentionOutput[])[];

/** One head of an output, without a copy. */
export function headPartial(
  { output, lse }: AttentionOutput,
  queries: number,
  valueSize: number,
  batchHead: number,
): PartialAttention {
  const start = batchHead * queries;
  return {
    rows: queries,
    valueSize,
    output: output.subarray(start * valueSize, (start + queries) * valueSize),
    lse: lse.subarray(start, start + queries),
  };
}

function headPieces({ shape }: ComposeParams, outputs: PartOutputs, batchHead: number) {
  return outputs.map((pieces) =>
    pieces.map((each) => headPartial(each, shape.queries, shape.headSize, batchHead)),
  );
}

/** Gates of a run's KV heads, and what they were decided by. */
export interface ResolvedGates {
  readonly gates: Float64Array;
  /** Mean softmax mass of the first part on keys that the second does not see, per KV head. */
  readonly massOutside: Float64Array;
  /** Undefined where the params give the gates. */
  readonly classes: readonly HeadClass[] | undefined;
}

/**
 * The gates that the params give, or those of classes by how much mass each KV head has outside the
 * second part: a stand-in for gates that a model was trained with.
 */
export function resolveGates(
  params: ComposeParams,
  outputs: PartOutputs,
): ResolvedGates | undefined {
  const { rule, shape } = params;
  if (rule.type !== 'gate') return undefined;
  const { batch, queryHeads, kvHeads, queries } = shape;
  const massOutside = new Float64Array(kvHeads);
  const counts = new Float64Array(kvHeads);
  for (let i = 0; i < batch * queryHeads; i++) {
    const kvHead = Math.floor(((i % queryHeads) * kvHeads) / queryHeads);
    const [full, streaming] = headPieces(params, outputs, i).map((pieces) => partOf(pieces, 1));
    for (let row = 0; row < queries; row++) {
      if (full!.lse[row] === -Infinity) continue;
      massOutside[kvHead]! += 1 - Math.exp(streaming!.lse[row]! - full!.lse[row]!);
      counts[kvHead]!++;
    }
  }
  for (let head = 0; head < kvHeads; head++) massOutside[head]! /= Math.max(1, counts[head]!);
  if (rule.gates.type === 'values') {
    const { values } = rule.gates;
    const gates = Float64Array.from({ length: kvHeads }, (_, head) => values[head] ?? values[0]!);
    return { gates, massOutside, classes: undefined };
  }
  const classes = classifyHeads(massOutside, rule.gates.retrievalShare);
  return { gates: gatesOf(classes), massOutside, classes };
}

/**
 * The composition of every head, one a step.
 *
 * @param gates of the KV heads; for rule gate
 * @returns output [batch, queryHeads, queries, headSize]; yields the share done
 */
export function* composeSteps(
  params: ComposeParams,
  outputs: PartOutputs,
  gates: ArrayLike<number> | undefined,
): Generator<number, Float64Array> {
  const { batch, queryHeads, kvHeads, queries, headSize } = params.shape;
  const composed = new Float64Array(batch * queryHeads * queries * headSize);
  for (let i = 0; i < batch * queryHeads; i++) {
    const kvHead = Math.floor(((i % queryHeads) * kvHeads) / queryHeads);
    const parts = headPieces(params, outputs, i).map((pieces, part) =>
      partOf(pieces, params.parts[part]!.lseScale),
    );
    composed.set(combineParts(params, parts, gates?.[kvHead]), i * queries * headSize);
    yield (i + 1) / (batch * queryHeads);
  }
  return composed;
}

/**
 * Mass on every piece (and the sink) for a merge, or on the second part's keys and outside them for
 * a gate, per head, as [names][queries]. Undefined where the parts are not shares of one softmax.
 */
export function headMass(
  params: ComposeParams,
  outputs: PartOutputs,
  batchHead: number,
): readonly Float64Array[] | undefined {
  const pieces = headPieces(params, outputs, batchHead);
  if (params.rule.type === 'merge') return pieceMass(params, pieces);
  if (params.rule.type !== 'gate') return undefined;
  const [full, streaming] = pieces.map((each) => partOf(each, 1));
  const inside = Float64Array.from(full!.lse, (lse, row) =>
    lse === -Infinity ? 0 : Math.exp(streaming!.lse[row]! - lse),
  );
  // A second part with keys that the first does not see has no share in it.
  if (inside.some((share) => share > 1 + 1e-3)) return undefined;
  return [
    inside.map((share) => Math.min(1, share)),
    inside.map((share, row) => (full!.lse[row] === -Infinity ? 0 : Math.max(0, 1 - share))),
  ];
}
