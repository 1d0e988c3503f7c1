import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import type { Audited } from '../../../lib/serving/general/state';
import { serveParams } from '../../../lib/spec/kinds/serve';
import type { ComposedStrategy } from '../../../lib/spec/kinds/serve-parts';
import { workloadOf, workloadRows } from './arbitrary-composed';
import { layered, partitioned, pausing } from './arbitrary-shared';
import { expectConservation } from './conservation';

function conserves(strategies: fc.Arbitrary<ComposedStrategy>, rowsTimes: number) {
  const seen = { restarts: 0, notes: '', audits: 0 };
  fc.assert(
    fc.property(
      strategies,
      workloadRows,
      fc.integer({ min: 160, max: 500 }),
      fc.constantFrom(1, 4),
      (strategy, rows, kvTokens, blockTokens) => {
        const kvBlocks = Math.floor(kvTokens / blockTokens);
        const params = serveParams.parse({ strategy, memory: { kvBlocks, blockTokens } });
        // Closer together: they must meet each other.
        const load = workloadOf(rows.map(([at, ...rest]) => [at * rowsTimes, ...rest] as const));
        const audit = ({ replica, blocksHeld }: Audited) => {
          expect(replica.blocksUsed).toBe(blocksHeld.reduce((a, b) => a + b, 0));
          seen.audits++;
        };
        const isLedger = strategy.topology.type === 'colocated' && strategy.topology.replicas === 1;
        const result = simulate(params, load, makeCostModel(params), isLedger ? { audit } : {});
        expectConservation(result, kvBlocks);
        seen.restarts += result.metrics.restarts;
        seen.notes += result.notes.join(' ');
      },
    ),
    { numRuns: 150 },
  );
  return seen;
}

const one = (strategy: object) =>
  serveParams.parse({ strategy: { type: 'composed', ...strategy } });
const alone = (strategy: object, prompt = 6000) => {
  const params = one(strategy);
  const { requests } = simulate(params, workloadOf([[0, prompt, 40, 0]]), makeCostModel(params));
  return [requests.firstTokenSeconds[0], requests.completedSeconds[0]] as [number, number];
};

describe('what one accelerator does in an iteration', () => {
  it('layer groups lose no token and no block', () => {
    expect(conserves(layered, 0.05).restarts).toBeGreaterThan(10);
  });

  it('two phases at once lose no token and no block', () => {
    const seen = conserves(partitioned, 0.05);
    expect(seen.restarts).toBeGreaterThan(0);
    expect(seen.audits).toBeGreaterThan(50);
  });

  it('pauses lose no token and no block', () => {
    expect(conserves(pausing, 0.05).notes).toContain('stopped for a more urgent one');
  });

  it('a prompt alone takes as long in groups of layers as whole', () => {
    const former = { batchFormer: { type: 'iteration-level' } };
    const whole = alone({ ...former, chunker: { type: 'whole' } });
    const grouped = alone({ ...former, chunker: { type: 'layer-group' } });
    // The overhead of an iteration comes 16 times, the output head once.
    const { costModel } = one({});
    const overhead = costModel.type === 'roofline' ? costModel.overheadMicroseconds * 1e-6 : 0;
    expect(grouped[0]).toBeCloseTo(whole[0] + 15 * overhead, 9);
    expect(grouped[1] - grouped[0]).toBeCloseTo(whole[1] - whole[0], 9);
    // Longer than a set: a second one goes on.
    const long = alone({ ...former, chunker: { type: 'layer-group', maxTokens: 4096 } });
    expect(long[0]).toBeGreaterThan(whole[0]);
  });

  it('a request alone does not notice that it might share', () => {
    const former = { batchFormer: { type: 'prefill-first', maxBatchedTokens: 8192 } };
    const whole = alone(former);
    for (const type of ['static', 'model-driven']) {
      const shared = alone({ ...former, partition: { type } });
      if (type === 'model-driven') {
        expect(shared[0]).toBeCloseTo(whole[0], 9);
        expect(shared[1]).toBeCloseTo(whole[1], 9);
      } else expect(shared[0]).toBeCloseTo(whole[0] / 0.8, 6);
    }
  });

  it('a short prompt stops a long one, which goes on where it was', () => {
    const load = workloadOf([
      [0, 8000, 2, 0],
      [0.1, 100, 2, 0],
    ]);
    const run = (preemption: object) => {
      const params = one({
        topology: { type: 'pools' },
        priority: { type: 's-edf', baseSeconds: 0.2, secondsPerPromptToken: 0.001 },
        batchFormer: { type: 'prefill-first', maxBatchedTokens: 2048, counting: 'sum' },
        chunker: { type: 'whole' },
        preemption,
      });
      const { requests } = simulate(params, load, makeCostModel(params));
      return requests.firstTokenSeconds;
    };
    const before = run({ type: 'recompute' });
    const after = run({ type: 'pause-at-operator' });
    expect(before[1]).toBeGreaterThan(before[0] as number);
    expect(after[1]).toBeLessThan(0.15);
    // Nothing is computed twice: the long one is later by the short one alone.
    const short = (before[1] as number) - (before[0] as number);
    expect(after[0]).toBeCloseTo((before[0] as number) + short, 9);
  });
});
