import { describe, expect, it } from 'vitest';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { workloadParams } from '../../../lib/spec/kinds/workload';
import { generated } from '../../../lib/workload/generated';

describe('generated programs, served', () => {
  it.each([
    ['chat', { type: 'chat', turnsMean: 3 }],
    ['agent', { type: 'agent', turnsMean: 5, turnsDeviation: 2 }],
    ['fork-join', { type: 'fork-join', branches: 3, plansFirst: true }],
  ])('all complete, each sent after what it comes of: %s', (_, program) => {
    const sharing = { type: 'groups', groups: 3, prefixTokens: 128 };
    const lengths = { model: 'fixed', promptTokens: 100, outputTokens: 20 };
    const params = workloadParams.parse({
      source: { type: 'synthetic', requests: 60, program, sharing, lengths },
    });
    if (params.source.type !== 'synthetic') throw new Error('unreachable');
    const workload = generated(params, params.source);
    const serve = serveParams.parse({
      strategy: { type: 'composed', prefixIndex: { type: 'block-hash' } },
    });
    const { metrics, requests } = simulate(serve, workload, makeCostModel(serve));
    expect(metrics.completed).toBe(60);
    const { offsets, predecessors, gapSeconds } = workload.programs!;
    workload.promptTokens.forEach((__, i) => {
      const ends = [...predecessors.subarray(offsets[i], offsets[i + 1])].map(
        (before) => requests.completedSeconds[before]!,
      );
      if (ends.length > 0)
        expect(requests.arrivalSeconds[i]).toBe(Math.max(...ends) + gapSeconds[i]!);
    });
  });
});
