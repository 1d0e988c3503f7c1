import { arm, comparison } from './make';
import type { CacheCheck } from './types';

const known = { protocol: 'known' } as const;
const QUARTER = 0.25;

/** Policies that drop slots, against dropping any, and against what they improve on. */
export const EVICTING_CHECKS: readonly CacheCheck[] = [
  comparison({
    id: 'streaming-llm',
    asks: 'Do a few first tokens beside the window keep the output nearer to the full cache?',
    rule: 'The paper’s claim: sinks restore what a window alone loses.',
    evidence: 'abstract',
    arms: [arm('streaming-llm', QUARTER), arm('sliding-window', QUARTER)],
    by: 'logit error',
  }),
  comparison({
    id: 'sliding-window',
    asks: 'Is an answer that left the window lost, as it must be?',
    rule: 'A negative control: text before the window is gone, so that the full cache is ahead.',
    evidence: 'arithmetic',
    arms: [
      arm('full', 1, { task: 'passkey', options: { depth: 0.3 } }),
      arm('sliding-window', QUARTER, { task: 'passkey', options: { depth: 0.3 } }),
    ],
    by: 'accuracy',
    slack: -0.5,
  }),
  comparison({
    id: 'snapkv',
    asks: 'Does the question in the window find what it needs better than chance?',
    rule: 'The paper’s claim, with the question at the prompt’s end: little is lost at a quarter.',
    evidence: 'abstract',
    arms: [arm('snapkv', QUARTER, known), arm('random', QUARTER, known)],
    by: 'accuracy',
    slack: -0.25,
  }),
  ...(['h2o', 'tova', 'keydiff', 'expected-attention', 'key-norm'] as const).map((id) =>
    comparison({
      id,
      asks: 'Does the score keep more of what is asked for than chance does?',
      rule: 'The paper’s claim, against the null that every score must beat.',
      evidence: 'abstract',
      arms: [arm(id, 0.5, known), arm('random', 0.5, known)],
      by: 'accuracy',
    }),
  ),
  ...(['pyramidkv', 'adakv', 'cake'] as const).map((id) =>
    comparison({
      id,
      asks: 'Does sharing one budget out unevenly do at least as well as the same for all?',
      rule: 'The paper’s claim: better than uniform shares of the same scores at equal slots.',
      evidence: 'abstract',
      arms: [arm(id, QUARTER, known), arm('snapkv', QUARTER, known)],
      by: ['accuracy', 'logit error'],
    }),
  ),
  comparison({
    id: 'fastkv',
    asks: 'Do tokens that go on from the middle layer carry the answer better than chance?',
    rule: 'The paper’s claim: near the full cache’s accuracy with a part of the tokens.',
    evidence: 'abstract',
    arms: [arm('fastkv', QUARTER, known), arm('random', QUARTER, known)],
    by: 'accuracy',
    slack: -0.25,
  }),
];
