import type { DecodeParams } from '../../spec/kinds/decode';
import { runSteps } from '../steps';
import type { AttentionInputs } from '../types';
import type { EntryOf } from './errors';
import { cutSequence, decodeInputSteps, sequenceLengths } from './inputs';
import { allocatePages, type PageTable } from './pages';

/** A decode step before anything is stored. */
export interface DecodeCall {
  readonly params: DecodeParams;
  /** Contiguous; in a paged layout rows past a sequence's length hold what nothing reads. */
  readonly inputs: AttentionInputs;
  /** Undefined in a contiguous layout. */
  readonly pages: PageTable | undefined;
  /** The calls that the step is made of: one, or one per sequence where lengths differ. */
  readonly parts: readonly AttentionInputs[];
  /** Tokens of all sequences. */
  readonly tokens: number;
}

/** `decodeCallSteps` run to the end. */
export function decodeCall(params: DecodeParams): DecodeCall {
  return runSteps(decodeCallSteps(params));
}

/** The step's inputs, pages and parts; yields the share done every few milliseconds. */
export function* decodeCallSteps(params: DecodeParams): Generator<number, DecodeCall> {
  const { shape, layout, seed } = params;
  const inputs = yield* decodeInputSteps(params);
  if (layout.type === 'contiguous') {
    const tokens = shape.batch * shape.keys;
    return { params, inputs, pages: undefined, parts: [inputs], tokens };
  }
  const lengths = sequenceLengths(params, layout);
  const pages = allocatePages(lengths, layout.pageTokens, layout.sharedPrefixTokens, seed);
  return {
    params,
    inputs,
    pages,
    parts: partsOf(params, inputs, pages),
    tokens: lengths.reduce((sum, each) => sum + each, 0),
  };
}

/** The calls that a step over these tensors is made of. */
export function partsOf(
  params: DecodeParams,
  inputs: AttentionInputs,
  pages: PageTable | undefined,
): readonly AttentionInputs[] {
  if (pages === undefined) return [inputs];
  return Array.from(pages.lengths, (length, b) => cutSequence(params, inputs, b, length));
}

/** Where each batch entry is found among a step's parts. */
export function entriesOf(parts: readonly AttentionInputs[]): EntryOf {
  return (batch) => {
    const own = parts[batch];
    return parts.length > 1 && own !== undefined ? [own, 0] : [parts[0] as AttentionInputs, batch];
  };
}
