import { describe, expect, it } from 'vitest';
import { STRATEGY_PRESETS } from '../../../lib/serving/compose/presets';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { computes } from '../../../lib/serving/lane-roles';
import { serveParams } from '../../../lib/spec/kinds/serve';
import type { Workload } from '../../../lib/workload/types';
import { expectTold, traceOf } from './expect-told';
import { MADE_UP_TRACES } from './made-up-traces';

const STRATEGIES: Readonly<Record<string, object>> = {
  vllm: { type: 'vllm' },
  'vllm-v1': { type: 'vllm-v1', prefixCaching: true },
  sarathi: { type: 'sarathi' },
  distserve: { type: 'distserve' },
  ...Object.fromEntries(STRATEGY_PRESETS.map(({ id, strategy }) => [id, strategy])),
};
const loads = Object.entries(MADE_UP_TRACES).map(([kind, load]) => [kind, load()] as const);

/** Pulls of DistServe's kind know no programs, and say so. */
const refuses = (name: string, { programs }: Workload) =>
  name === 'distserve' && programs !== undefined;

describe.each(Object.entries(STRATEGIES))('%s', (name, strategy) => {
  it.each(loads)('serves %s, loses nothing and tells why a request waited', (_, load) => {
    const document = { strategy, memory: { kvBlocks: 600 } };
    const params = serveParams.parse(document);
    const run = () => simulate(params, load, makeCostModel(params));
    if (refuses(name, load)) {
      expect(run).toThrow(/^invalid pull: "threshold" with .*programs.*choose "admission"/);
      return;
    }
    const result = run();
    const { metrics, requests, lanes } = result;
    const count = load.promptTokens.length;
    expect(count).toBeGreaterThan(10);
    expect(metrics.completed + metrics.refused).toBe(count);
    expect(metrics.unfinished).toBe(0);
    if (metrics.refused > 0)
      expect(result.notes.join()).toMatch(/refused|rejected|turned away|never sent/);
    let emitted = 0;
    for (let i = 0; i < count; i++) {
      if (requests.refused[i] === 1) continue;
      const times = [
        requests.arrivalSeconds[i],
        requests.firstScheduledSeconds[i],
        requests.firstTokenSeconds[i],
        requests.completedSeconds[i],
      ] as number[];
      expect(times).toEqual([...times].sort((a, b) => a - b));
      emitted += load.outputTokens[i] as number;
    }
    expect(metrics.tbtSeconds.count).toBe(emitted - metrics.completed);
    const decoded = lanes
      .filter(computes)
      .reduce((sum, lane) => sum + lane.decodeTokens.reduce((a, b) => a + b, 0), 0);
    if (metrics.restarts === 0) expect(decoded).toBe(emitted - metrics.completed);
    expectTold(traceOf(document, load, count - 1), result);
  });
});
