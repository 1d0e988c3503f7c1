import { checkCell, presetServed, servedCells } from './serving-cells';
import type { Method } from './types';

/** Methods that are compositions of common parts, and a workload that others are measured by. */
export const SERVING_BASELINE_METHODS: readonly Method[] = [
  {
    id: 'splitwise',
    name: 'Splitwise',
    part: 'serving: phases apart',
    says: 'Prompts in one pool and decoding in another; KV is sent while it is made.',
    cells: [checkCell('splitwise'), ...presetServed('splitwise')],
    leavesOut: 'the pool that does both, and machines of different kinds',
  },
  {
    id: 'flover',
    name: 'Flover',
    part: 'serving: schedulers',
    says: 'A new request is computed as it arrives and joins, at the next token, the loop that runs.',
    cells: [
      checkCell('flover'),
      ...servedCells({
        type: 'composed',
        name: 'joined at a token',
        admission: { type: 'fits', maxSequences: 256 },
        batchFormer: { type: 'iteration-level' },
        chunker: { type: 'whole' },
        preemption: { type: 'none' },
        kvAlloc: { type: 'contiguous-max', maxTokens: 8192 },
      }),
    ],
    leavesOut: 'the time to move rows together; instances that share one accelerator',
  },
  {
    id: 'scbench',
    name: 'SCBench',
    part: 'serving: reuse of KV',
    says: 'Several questions about one context, as turns of a session or as requests of several: what they share, and which KV they must not.',
    cells: [
      checkCell('scbench'),
      ...servedCells(
        {
          type: 'composed',
          name: 'prefixes kept',
          batchFormer: { type: 'decode-first', tokenBudget: 2048 },
          preemption: { type: 'recompute', victim: 'last-admitted' },
          prefixIndex: { type: 'block-hash' },
        },
        {
          type: 'synthetic',
          requests: 200,
          ratePerSecond: 0.5,
          lengths: { model: 'fixed', promptTokens: 100, outputTokens: 100 },
          sharing: { type: 'groups', groups: 20, prefixTokens: 16_000 },
        },
      ),
    ],
    leavesOut: 'its twelve tasks and their scores: cache cells ask several questions of a model',
  },
];
