import { cacheAction } from '../../spec/cache-actions';
import { arm, comparison } from './make';
import type { CacheCheck } from './types';

/** Policies that hold slots in fewer bits or numbers. */
export const REPRESENTING_CHECKS: readonly CacheCheck[] = [
  comparison({
    id: 'int8',
    asks: 'Is a byte for each number as good as two?',
    rule: 'Arithmetic: at most half a step of 1/255 of a row’s range is lost.',
    evidence: 'arithmetic',
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
    asks: 'Do evicted slots in two bits answer what eviction at equal bytes cannot?',
    rule: 'The paper’s claim: no token left behind. H2O gets as many bytes as a quarter in f16 and the rest in two bits take.',
    evidence: 'abstract',
    arms: [arm('mikv', 0.25), arm('h2o', 0.25)],
    atEqualBytes: true,
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
    id: 'zipvl',
    asks: 'Do a layer’s important tokens in four bits and the others in two answer as well?',
    rule: 'The paper’s claim: half of the memory for 0.2 % of accuracy.',
    evidence: 'abstract',
    arms: [arm('zipvl', 1), arm('full', 1)],
    by: 'accuracy',
    slack: 0.125,
    deviceRatio: { high: 0.5 },
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
    id: 'xkv',
    asks: 'Is one basis for keys of several layers better than one layer’s keys for two?',
    rule: 'The paper’s claim, against MiniCache. At contexts as short as a basis nothing is saved.',
    evidence: 'abstract',
    arms: [arm('xkv', 0.25, { samples: 10 }), arm('minicache', 1, { samples: 10 })],
    by: 'logit error',
  }),
  comparison({
    id: 'matryoshkakv',
    asks: 'Do 60 % of the directions of a head answer nearly as well?',
    rule: 'The paper’s claim: above 90 % of the performance at an average of 60 %, with trained bases; these are the principal components that it starts from.',
    evidence: 'abstract',
    arms: [arm('matryoshkakv', 0.6), arm('full', 1)],
    by: 'accuracy',
    slack: 0.1,
  }),
  comparison({
    id: 'cskv',
    asks: 'Do a fifth of the channels answer nearly as well?',
    rule: 'The paper’s claim: 80 % of the cache less with long contexts kept, after training; here the projections are fitted in closed form.',
    evidence: 'abstract',
    arms: [arm('cskv', 0.2), arm('full', 1)],
    by: 'accuracy',
    slack: 0.125,
  }),
];
