import {
  type AttentionParams,
  type AttentionShape,
  type AttentionVariant,
  attentionParams,
} from '../spec/kinds/attention';

/** One row of the table that the reference and every kernel run. */
export interface AttentionCase {
  readonly name: string;
  readonly params: AttentionParams;
  /** Multiplies Q, for large logits. */
  readonly queryScale: number;
}

function attentionCase(
  name: string,
  shape: Partial<AttentionShape>,
  variant: AttentionVariant,
  queryScale = 1,
): AttentionCase {
  const queries = shape.queries ?? 65;
  const full = {
    batch: 1,
    queryHeads: 2,
    kvHeads: 1,
    keys: queries,
    headSize: 32,
    ...shape,
    queries,
  };
  return { name, params: attentionParams.parse({ shape: full, variant, seed: 7 }), queryScale };
}

const causal: AttentionVariant = { type: 'causal' };
const dense: AttentionVariant = { type: 'dense' };

/** Causal, of the keys whose value at an index of a table per head is positive, and added to the score. */
const byTable = (...index: readonly string[]): AttentionVariant => ({
  type: 'formula',
  mask: ['k', 'q', '<=', ...index, 'bias', 0, '>', 'and'],
  score: ['score', ...index, 'bias', '+'],
  numbers: [],
  tables: [{ name: 'bias', source: 'normal', perHead: true, entries: 90, deviation: 1 }],
});

/** Odd lengths, head sizes, GQA, fewer and more queries than keys, document edges, large logits. */
export const ATTENTION_CASES: readonly AttentionCase[] = [
  attentionCase('single key', { queries: 1, keys: 1 }, dense),
  attentionCase('n = 63 dense', { queries: 63 }, dense),
  attentionCase('n = 65 causal', { queries: 65 }, causal),
  attentionCase('n = 127 causal MHA', { queries: 127, queryHeads: 2, kvHeads: 2 }, causal),
  attentionCase('n = 130 GQA 4:2', { queries: 130, queryHeads: 4, kvHeads: 2 }, causal),
  attentionCase('MQA 8:1', { queries: 33, queryHeads: 8, kvHeads: 1 }, causal),
  attentionCase('head size 4', { headSize: 4 }, causal),
  attentionCase('head size 64', { headSize: 64 }, causal),
  attentionCase('head size 80', { headSize: 80 }, dense),
  attentionCase('head size 128', { headSize: 128 }, causal),
  attentionCase('head size 256', { headSize: 256 }, causal),
  attentionCase('batch 2', { batch: 2, queries: 40 }, causal),
  attentionCase('one query over many keys', { queries: 1, keys: 300 }, causal),
  attentionCase(
    'five queries over many keys',
    { queries: 5, keys: 517, queryHeads: 4, kvHeads: 2 },
    causal,
  ),
  attentionCase('fewer queries than keys', { queries: 50, keys: 130 }, causal),
  attentionCase('more queries than keys: fully masked rows', { queries: 70, keys: 40 }, causal),
  attentionCase('window 16', { queries: 130 }, { type: 'sliding-window', windowTokens: 16 }),
  attentionCase(
    'window 1: the diagonal',
    { queries: 66 },
    { type: 'sliding-window', windowTokens: 1 },
  ),
  attentionCase('window beyond n', { queries: 65 }, { type: 'sliding-window', windowTokens: 500 }),
  attentionCase(
    'window + sinks',
    { queries: 190 },
    { type: 'window-sinks', windowTokens: 40, sinkTokens: 4 },
  ),
  attentionCase(
    'window touching the sinks',
    { queries: 90 },
    { type: 'window-sinks', windowTokens: 60, sinkTokens: 40 },
  ),
  attentionCase(
    'documents, causal',
    { queries: 150, batch: 2 },
    { type: 'documents', meanDocumentTokens: 30, causal: true },
  ),
  attentionCase(
    'documents, bidirectional',
    { queries: 150 },
    { type: 'documents', meanDocumentTokens: 20, causal: false },
  ),
  attentionCase(
    'documents, queries before the first key',
    { queries: 60, keys: 45 },
    { type: 'documents', meanDocumentTokens: 9, causal: true },
  ),
  attentionCase(
    'keys by a table per head, GQA, batch 2',
    { queries: 150, batch: 2, queryHeads: 4, kvHeads: 2 },
    byTable('k'),
  ),
  attentionCase(
    'distances by a table per head, fewer queries than keys',
    { queries: 70, keys: 133, queryHeads: 4, kvHeads: 2 },
    byTable('q', 'k', '-'),
  ),
  attentionCase(
    'distances by a table per head, queries before the first key',
    { queries: 70, keys: 45, queryHeads: 2, kvHeads: 2 },
    byTable('q', 'k', '-'),
  ),
  attentionCase('large logits', { queries: 96, headSize: 64 }, causal, 25),
  attentionCase('large negative scale', { queries: 96, headSize: 64 }, dense, -25),
];
