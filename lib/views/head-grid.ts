import type { HeadProbe } from '../evaluate/head-probes';

/** What a head is measured by, as the grid offers it. */
export const HEAD_MEASURES = [
  'sink',
  'previousToken',
  'duplicateToken',
  'induction',
  'retrieval',
  'entropyNats',
] as const satisfies readonly (keyof HeadProbe)[];
export type HeadMeasure = (typeof HEAD_MEASURES)[number];

export const MEASURE_NAMES: Readonly<Record<HeadMeasure, string>> = {
  sink: 'sink',
  previousToken: 'previous token',
  duplicateToken: 'duplicate',
  induction: 'induction',
  retrieval: 'retrieval',
  entropyNats: 'entropy',
};

/** What each number means, in a sentence. */
export const MEASURE_TEXTS: Readonly<Record<HeadMeasure, string>> = {
  sink: 'mean attention to the first token',
  previousToken: 'mean attention to the token before',
  duplicateToken:
    'mean attention to earlier places of the same token, on repeated random sequences',
  induction:
    'mean attention to what followed earlier places of the token, on repeated random sequences',
  retrieval: 'share of answer tokens for which the largest attention lies on the fact asked for',
  entropyNats: 'mean entropy of the attention, in nats: low looks at few tokens',
};

/** Shares are of 1; entropies of the largest head's. */
export function shadeOf(heads: readonly HeadProbe[], measure: HeadMeasure): readonly number[] {
  const most =
    measure === 'entropyNats' ? Math.max(...heads.map(({ entropyNats }) => entropyNats)) : 1;
  return heads.map((head) => (most > 0 ? Math.min(1, Math.max(0, head[measure] / most)) : 0));
}

/** Heads of one layer, in order. */
export function headsByLayer(heads: readonly HeadProbe[]): readonly (readonly HeadProbe[])[] {
  const layers: HeadProbe[][] = [];
  for (const head of heads) {
    layers[head.layer] ??= [];
    layers[head.layer]!.push(head);
  }
  return layers;
}

/** The head that retrieves most; ties go to the one with more induction. */
export function retrievingHead(heads: readonly HeadProbe[]): HeadProbe | undefined {
  return heads.reduce<HeadProbe | undefined>((best, head) => {
    if (best === undefined) return head;
    const gain = head.retrieval - best.retrieval || head.induction - best.induction;
    return gain > 0 ? head : best;
  }, undefined);
}
