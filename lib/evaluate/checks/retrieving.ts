import { arm, comparison } from './make';
import type { CacheCheck } from './types';

const QUARTER = 0.25;

/** Policies that choose slots for every query. */
export const RETRIEVING_CHECKS: readonly CacheCheck[] = [
  comparison({
    id: 'quest',
    asks: 'Do the pages of the highest bounds hold what a hidden question needs?',
    rule: 'The paper’s claim: little is lost where each query chooses; eviction cannot know it.',
    evidence: 'abstract',
    arms: [arm('quest', QUARTER), arm('snapkv', QUARTER)],
    by: 'accuracy',
    slack: -0.25,
    deviceRatio: { low: 1, high: 1.25 },
  }),
  comparison({
    id: 'shadowkv',
    asks: 'Are answers kept with values in host memory and keys as factors?',
    rule: 'The paper’s claim: the accuracy of the full cache with a small part on the device.',
    evidence: 'abstract',
    arms: [arm('shadowkv', QUARTER), arm('full', 1)],
    by: 'accuracy',
    slack: 0.125,
    deviceRatio: { high: 1 },
  }),
  ...(['rekv', 'loopserve'] as const).map((id) =>
    comparison({
      id,
      asks: 'Does retrieval for each question answer what a fixed choice lost?',
      rule: 'The paper’s claim: what the question needs is found when it is asked.',
      evidence: 'abstract',
      arms: [arm(id, QUARTER), arm('snapkv', QUARTER)],
      by: 'accuracy',
    }),
  ),
  comparison({
    id: 'v-rex',
    asks: 'Do clusters by sign bits bring back what a late question on a stream needs?',
    rule: 'The paper’s claim: answers of the full cache from a part of it, chosen at every question.',
    evidence: 'abstract',
    arms: [arm('v-rex', 1, { task: 'stream-qa' }), arm('snapkv', QUARTER, { task: 'stream-qa' })],
    by: 'accuracy',
  }),
  comparison({
    id: 'lazyllm',
    asks: 'Do pruned tokens that may come back answer more than tokens that are gone?',
    rule: 'The paper’s claim: a token that is dropped for one step is there for another.',
    evidence: 'abstract',
    arms: [arm('lazyllm', QUARTER), arm('random', QUARTER)],
    by: 'accuracy',
    slack: -0.25,
  }),
  comparison({
    id: 'oracle-top-k',
    asks: 'Is the ceiling above the policy that it is the ceiling of?',
    rule: 'By construction: no choice of pages holds more of the attention.',
    evidence: 'arithmetic',
    arms: [arm('oracle-top-k', QUARTER), arm('quest', QUARTER)],
    by: 'logit error',
  }),
];
