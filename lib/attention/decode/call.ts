import type { DecodeParams } from '../../spec/kinds/decode';
import type { AttentionInputs } from '../types';
import type { EntryOf } from './errors';
import { cutSequence, decodeInputs, sequenceLengths } from './inputs';
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

export function decodeCall(params: DecodeParams): DecodeCall {
  const { shape, layout, seed } = params;
  const inputs = decodeInputs(params);
  if (layout.type === 'contiguous') {
    const tokens = shape.batch * shape.keys;
    return { params, inputs, pages: undefined, parts: [inputs], tokens };
  }
  const lengths = sequenceLengths(params, layout);
  return {
    params,
    inputs,
    pages: allocatePages(lengths, layout.pageTokens, layout.sharedPrefixTokens, seed),
    parts: Array.from(lengths, (length, b) => cutSequence(params, inputs, b, length)),
    tokens: lengths.reduce((sum, each) => sum + each, 0),
  };
}

/** Where each batch entry is found among a step's parts. */
export function entriesOf(parts: readonly AttentionInputs[]): EntryOf {
  return (batch) => {
    const own = parts[batch];
    return parts.length > 1 && own !== undefined ? [own, 0] : [parts[0] as AttentionInputs, batch];
  };
}
