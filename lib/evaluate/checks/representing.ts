import { cacheAction } from '../../spec/cache-actions';
import { arm, comparison } from './make';
import type { CacheCheck } from './types';

/** Policies that hold slots in fewer bits or numbers, or merged. */
export const REPRESENTING_CHECKS: readonly CacheCheck[] = [
  comparison({
    id: 'int8',
    asks: 'Is a byte for each number as good as two?',
    rule: 'Arithmetic: at most half a step of 1/255 of a row’s range is lost.',
    evidence: 'code',
    arms: [arm('int8', 1), arm('int4', 1)],
    by: 'logit error',
    slack: -0.5,
    deviceRatio: { low: 0.5, high: 0.75 },
  }),
  comparison({
    id: 'kivi',
    asks: 'Do keys by channel and values by token at two bits lose less than both by token?',
    rule: 'The paper’s claim: keys have outlier channels, which groups along tokens hold apart.',
    evidence: 'abstract',
    arms: [
      arm('kivi', 1),
      arm('random', 1, {
        variant: 'all at two bits by token',
        change: (policy) => ({
          ...policy,
          action: cacheAction.parse({
            type: 'quantise',
            slots: 'all',
            form: { type: 'per-token', bits: 2 },
          }),
        }),
      }),
    ],
    by: 'logit error',
  }),
  comparison({
    id: 'gear',
    asks: 'Do outliers and a low-rank part take back what few bits lose?',
    rule: 'The paper’s claim: nearer to the full cache than the quantiser alone.',
    evidence: 'abstract',
    arms: [arm('gear', 1), arm('kivi', 1)],
    by: 'logit error',
  }),
  comparison({
    id: 'mikv',
    asks: 'Do evicted slots in two bits answer what eviction cannot?',
    rule: 'The paper’s claim: no token left behind; the same slots are kept whole as in H2O.',
    evidence: 'abstract',
    arms: [arm('mikv', 0.25), arm('h2o', 0.25)],
    by: 'accuracy',
  }),
  comparison({
    id: 'zipcache',
    asks: 'Does saliency by probe queries, at four and two bits, lose less than two bits for all?',
    rule: 'The paper’s claim: bits go where the attention goes.',
    evidence: 'abstract',
    arms: [arm('zipcache', 1), arm('kivi', 1)],
    by: 'logit error',
  }),
  comparison({
    id: 'think',
    asks: 'Can key channels go that the queries do not read?',
    rule: 'The paper’s claim: 40 % of the key channels go with little loss; that is a fifth of the bytes.',
    evidence: 'abstract',
    arms: [arm('think', 0.8), arm('full', 1)],
    by: 'accuracy',
    slack: 0.125,
    deviceRatio: { low: 0.7, high: 1 },
  }),
  comparison({
    id: 'kvmerger',
    asks: 'Is a mean of similar neighbours nearer to the full cache than dropping them?',
    rule: 'The paper’s claim: better than H2O at half of the cache.',
    evidence: 'abstract',
    arms: [arm('kvmerger', 0.5), arm('h2o', 0.5)],
    by: 'logit error',
  }),
  comparison({
    id: 'xkv',
    asks: 'Is one basis for keys of several layers better than one layer’s keys for two?',
    rule: 'The paper’s claim, against MiniCache. At contexts as short as a basis nothing is saved.',
    evidence: 'abstract',
    arms: [arm('xkv', 0.25, { samples: 2 }), arm('minicache', 1, { samples: 2 })],
    by: 'logit error',
  }),
];
