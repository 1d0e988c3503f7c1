import type { HeadGates } from '../../cache/policy/classify';
import { createRandom } from '../../random/random';
import type { Transformer } from '../../transformer/types';
import { fitGates } from '../fit-gates';
import { about, arm, compared, comparison, SOURCES } from './make';
import { runArms } from './run-arms';
import type { Arm, CacheCheck, Measured } from './types';

const SHARE = 0.5;

const kept = new WeakMap<Transformer, HeadGates>();

/** Gates by retrieval on four contexts, fitted once for a model. */
function fitted(model: Transformer): HeadGates {
  const known = kept.get(model);
  if (known) return known;
  const fit = fitGates(model, { samples: 4, contextTokens: 160, seed: 1 });
  for (;;) {
    const step = fit.next();
    if (!step.done) continue;
    kept.set(model, step.value);
    return step.value;
  }
}

type Order = 'fitted gates' | 'random gates' | 'gates reversed';

function gatesIn(order: Order, model: Transformer): HeadGates {
  const random = createRandom(1);
  return fitted(model).map((heads) =>
    heads.map((gate) =>
      order === 'random gates' ? random.uniform() : order === 'gates reversed' ? -gate : gate,
    ),
  );
}

const inOrder = (order: Order): Arm =>
  arm('duo-attention', SHARE, {
    task: 'passkey',
    variant: order,
    policyOptions: (model) => ({ gates: gatesIn(order, model) }),
  });

const duoAttention: CacheCheck = {
  id: 'duo-attention',
  title: 'duo-attention: heads in the order of their gates, at random, reversed',
  asks: 'Does keeping the whole context in the heads of the highest gates beat any other order?',
  rule: 'What the gates mean: in reversed order the heads that retrieve lose their context first.',
  evidence: 'abstract',
  *run(ground) {
    const orders = ['fitted gates', 'random gates', 'gates reversed'] as const;
    const { measured, lines } = yield* runArms(
      ground,
      orders.map((order) => [order, () => inOrder(order)] as const),
    );
    const [first, random, last] = measured as [Measured, Measured, Measured];
    return {
      figures: [
        compared('accuracy', [orders[0], first], [orders[2], last], 0, SOURCES.abstract),
        compared('accuracy', [orders[0], first], [orders[1], random], 0, SOURCES.abstract),
        ...orders.flatMap((order, at) => about(order, measured[at] as Measured)),
      ],
      series: [],
      notes: lines,
    };
  },
};

/** Policies with classes of heads. */
export const HEAD_CHECKS: readonly CacheCheck[] = [
  duoAttention,
  comparison({
    id: 'razor-attention',
    asks: 'Does the compensation token bring the output nearer to the full cache?',
    rule: 'The paper’s claim: one token for all that was dropped recovers what it held.',
    evidence: 'abstract',
    arms: [
      arm('razor-attention', SHARE),
      arm('razor-attention', SHARE, {
        variant: 'without its token',
        change: (policy) => ({ ...policy, action: { type: 'evict' } }),
      }),
    ],
    by: 'logit error',
  }),
  comparison({
    id: 'lserve',
    asks: 'Do pages chosen by bounds in the other heads beat a window in all of them?',
    rule: 'The paper’s claim: accuracy is kept with half of the heads streaming.',
    evidence: 'abstract',
    arms: [
      arm('lserve', 0.25, { task: 'passkey' }),
      arm('streaming-llm', 0.25, { task: 'passkey' }),
    ],
    by: 'accuracy',
  }),
];
