import { arm, comparison } from './make';
import type { CacheCheck } from './types';

const chunks = { task: 'chunk-qa', contextTokens: 192 } as const;
/** Two hops need what one chunk says of another: a single hop hardly tells. */
const hops = { ...chunks, options: { asks: 'two-hop' } } as const;
const edits = { task: 'edits', options: { edit: 'delete' } } as const;

/** Policies that put a context together from parts that were encoded before. */
export const REUSING_CHECKS: readonly CacheCheck[] = [
  comparison({
    id: 'ape',
    asks: 'Do a temperature and a scale make chunks read apart answer better?',
    rule: 'The paper’s claim: nearer to sequential encoding than chunks in parallel alone.',
    evidence: 'abstract',
    arms: [arm('ape', 1, chunks), arm('concatenated', 1, chunks)],
    by: 'logit error',
  }),
  comparison({
    id: 'cacheblend',
    asks: 'Does running a part of the tokens again bring chunks nearer to one text?',
    rule: 'The paper’s claim: a fraction of the tokens recovers most of what chunks missed.',
    evidence: 'abstract',
    arms: [arm('cacheblend', 1, hops), arm('concatenated', 1, hops)],
    by: 'logit error',
  }),
  comparison({
    id: 'cache-craft',
    asks: 'Does choosing what to run again by attention across chunks help?',
    rule: 'The paper’s claim: nearer to full prefill than naive reuse.',
    evidence: 'abstract',
    arms: [arm('cache-craft', 1, hops), arm('concatenated', 1, hops)],
    by: 'logit error',
  }),
  comparison({
    id: 'kvcomm',
    asks: 'Do offsets of chunks seen before bring a chunk nearer to its place in the text?',
    rule: 'The paper’s claim: nearer to full prefill than rotation alone, most chunks reused.',
    evidence: 'abstract',
    arms: [arm('kvcomm', 1, hops), arm('concatenated', 1, hops)],
    by: 'logit error',
    notes: [
      'a session knows no earlier texts: its first chunks are run in place and become anchors',
    ],
  }),
  comparison({
    id: 'pie',
    asks: 'Are later keys better rotated for their new places than left?',
    rule: 'The paper’s claim: the accuracy of full recompute with nothing run again.',
    evidence: 'abstract',
    arms: [arm('pie', 1, edits), arm('edit-splice', 1, edits)],
    by: 'logit error',
  }),
  comparison({
    id: 'edit-prefix',
    asks: 'Is running everything from the edit on exact?',
    rule: 'By construction: nothing that is kept has read what changed.',
    evidence: 'arithmetic',
    arms: [arm('edit-prefix', 1, edits), arm('pie', 1, edits)],
    by: 'logit error',
    slack: -0.9,
  }),
];
