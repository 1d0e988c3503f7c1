import type { HeadGates } from '../../cache/policy/classify';
import type { Transformer } from '../../transformer/types';
import { fitGates } from '../fit-gates';
import { arm, comparison } from './make';
import type { CacheCheck } from './types';

const SHARE = 0.5;

/** Gates by retrieval on four contexts. */
function fitted(model: Transformer): HeadGates {
  const fit = fitGates(model, { samples: 4, contextTokens: 160, seed: 1 });
  for (;;) {
    const step = fit.next();
    if (step.done) return step.value;
  }
}

const reversed = (gates: HeadGates) => gates.map((heads) => heads.map((gate) => -gate));

/** Policies with classes of heads. */
export const HEAD_CHECKS: readonly CacheCheck[] = [
  comparison({
    id: 'duo-attention',
    asks: 'Does keeping the whole context in the heads of the highest gates beat the reverse?',
    rule: 'What the gates mean: in reversed order the heads that retrieve lose their context first.',
    evidence: 'abstract',
    arms: [
      arm('duo-attention', SHARE, {
        task: 'passkey',
        variant: 'fitted gates',
        policyOptions: (model) => ({ gates: fitted(model) }),
      }),
      arm('duo-attention', SHARE, {
        task: 'passkey',
        variant: 'gates reversed',
        policyOptions: (model) => ({ gates: reversed(fitted(model)) }),
      }),
    ],
    by: 'accuracy',
  }),
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
