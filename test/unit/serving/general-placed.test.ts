import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import type { Audited } from '../../../lib/serving/general/state';
import { computes } from '../../../lib/serving/lane-roles';
import type { ServeResult } from '../../../lib/serving/types';
import { serveParams } from '../../../lib/spec/kinds/serve';
import type { ComposedStrategy } from '../../../lib/spec/kinds/serve-parts';
import { displacing, encoding, sessioned, withMore } from './arbitrary-placed';
import { programs, programWorkload } from './arbitrary-programs';

/** What holds for every strategy once everything has run. */
function expectLaws({ requests, metrics, lanes }: ServeResult): void {
  const count = requests.arrivalSeconds.length;
  expect(metrics.completed + metrics.refused).toBe(count);
  let emitted = 0;
  let prompts = 0;
  let hits = 0;
  for (let i = 0; i < count; i++) {
    if (requests.refused[i] === 1) {
      expect(requests.completedSeconds[i]).toBeNaN();
      expect(requests.firstTokenSeconds[i]).toBeNaN();
      continue;
    }
    const times = [
      requests.arrivalSeconds[i],
      requests.firstScheduledSeconds[i],
      requests.firstTokenSeconds[i],
      requests.completedSeconds[i],
    ] as number[];
    expect(times).toEqual([...times].sort((a, b) => a - b));
    emitted += requests.outputTokens[i] as number;
    prompts += requests.promptTokens[i] as number;
    hits += requests.hitTokens?.[i] ?? 0;
  }
  expect(metrics.tbtSeconds.count).toBe(emitted - metrics.completed);
  for (const lane of lanes) {
    lane.startSeconds.forEach((start, i) => {
      expect(lane.durationSeconds[i]).toBeGreaterThanOrEqual(0);
      if (i === 0) return;
      const end = (lane.startSeconds[i - 1] as number) + (lane.durationSeconds[i - 1] as number);
      expect(start).toBeGreaterThanOrEqual(end - 1e-9);
    });
  }
  if (metrics.restarts > 0) return;
  const sum = (key: 'prefillTokens' | 'decodeTokens') =>
    lanes.filter(computes).reduce((total, lane) => total + lane[key].reduce((a, b) => a + b, 0), 0);
  expect(sum('prefillTokens') + hits).toBe(prompts);
  expect(sum('decodeTokens')).toBe(emitted - metrics.completed);
}

function holds(strategies: fc.Arbitrary<ComposedStrategy>, hasLedger: boolean): void {
  fc.assert(
    fc.property(
      strategies,
      programs,
      fc.integer({ min: 25, max: 160 }),
      fc.constantFrom(1, 4, 16),
      (strategy, list, kvBlocks, blockTokens) => {
        const params = serveParams.parse({ strategy, memory: { kvBlocks, blockTokens } });
        const workload = withMore(programWorkload(list));
        const audit = ({ replica, blocksHeld }: Audited) => {
          expect(replica.holders).toBeLessThanOrEqual(
            params.strategy.type === 'composed' ? params.strategy.admission.maxSequences : 0,
          );
          if (hasLedger) expect(replica.blocksUsed).toBe(blocksHeld.reduce((a, b) => a + b, 0));
        };
        const run = () => simulate(params, workload, makeCostModel(params), { audit });
        const result = run();
        expectLaws(result);
        const { wallSeconds: _, ...first } = result;
        const { wallSeconds: __, ...again } = run();
        expect(again).toEqual(first);
      },
    ),
    { numRuns: 150 },
  );
}

describe('conservation', () => {
  it('holds where requests give up their places to each other', () => holds(displacing, true));
  it('holds where sessions keep, move and lose their KV', () => holds(sessioned, false));
  it('holds where images are encoded, by workers that stay or change', () =>
    holds(encoding, false));
});
