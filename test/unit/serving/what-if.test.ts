import { describe, expect, it } from 'vitest';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { HARDWARE } from '../../../lib/serving/presets/hardware';
import { weightBytes } from '../../../lib/serving/presets/kv-plan';
import { MODELS } from '../../../lib/serving/presets/models';
import { hasLink, NO_CHANGE, type WhatIfFactors } from '../../../lib/serving/what-if/factors';
import { utilisation } from '../../../lib/serving/what-if/utilisation';
import { createWhatIfRun } from '../../../lib/serving/what-if/what-if-run';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { workloadParams } from '../../../lib/spec/kinds/workload';
import { generateWorkload } from '../../../lib/workload/generate';

const load = workloadParams.parse({ source: { type: 'generator', requests: 1000 } });
if (load.source.type !== 'generator') throw new Error('expected a generator');
const workload = generateWorkload(load, load.source);
const POOLS = { type: 'composed', topology: { type: 'pools', linkGigabytesPerSecond: 2 } };

function whatIf(given: object, factors: Partial<WhatIfFactors> = {}) {
  const params = serveParams.parse(given);
  const run = createWhatIfRun(params, workload, undefined, { ...NO_CHANGE, ...factors });
  while (run.advance(1_000_000));
  return run.result();
}

describe('what if', () => {
  it('without a change is the run of the cell', () => {
    for (const strategy of [{ type: 'vllm' }, { type: 'vllm-v1' }, POOLS]) {
      const params = serveParams.parse({ strategy });
      const { metrics } = simulate(params, workload, makeCostModel(params));
      expect(whatIf({ strategy }).metrics).toEqual(metrics);
    }
  });

  it('is the run of a cell that has the changed conditions', () => {
    const topology = { type: 'pools', linkGigabytesPerSecond: 8 };
    const { metrics } = whatIf({ strategy: { ...POOLS, topology } });
    expect(whatIf({ strategy: POOLS }, { linkBandwidth: 4 }).metrics).toEqual(metrics);
    const faster = workloadParams.parse({ ...load, rateScale: 2 });
    if (faster.source.type !== 'generator') throw new Error('expected a generator');
    const params = serveParams.parse({});
    const twice = simulate(
      params,
      generateWorkload(faster, faster.source),
      makeCostModel(params),
    ).metrics;
    const asked = whatIf({}, { rate: 2 }).metrics;
    expect(asked.ttftSeconds.p99).toBeCloseTo(twice.ttftSeconds.p99, 6);
  });

  it('moves what it should, the way it should', () => {
    const slow = whatIf({ strategy: POOLS }, { linkBandwidth: 0.25 });
    const base = whatIf({ strategy: POOLS });
    expect(slow.utilisation.mean.link).toBeGreaterThan(base.utilisation.mean.link);
    const long = whatIf({}, { promptTokens: 2 }).metrics;
    expect(long.ttftSeconds.p50).toBeGreaterThan(whatIf({}).metrics.ttftSeconds.p50);
    const given = { memory: { kvBlocks: 2000 } };
    const large = whatIf(given, { kvBytesPerToken: 2 });
    const small = whatIf(given, { kvBytesPerToken: 0.5 });
    expect(large.metrics.kvUse.mean).toBeGreaterThan(small.metrics.kvUse.mean);
    expect(large.ttftQuantiles[50]).toBeGreaterThanOrEqual(small.ttftQuantiles[50] as number);
    expect(hasLink(serveParams.parse({ strategy: POOLS }))).toBe(true);
    expect(hasLink(serveParams.parse({}))).toBe(false);
  });

  it('refuses a factor that is not above 0', () => {
    expect(() => whatIf({}, { rate: 0 })).toThrow('invalid rate: 0 (expected above 0)');
  });
});

describe('utilisation', () => {
  it('adds up to the work of the run, whatever the bins', () => {
    const params = serveParams.parse({ strategy: { type: 'sarathi', replicas: 2 } });
    const run = simulate(params, workload, makeCostModel(params));
    const model = MODELS[params.model];
    const hardware = HARDWARE[params.hardware];
    const tokens = run.lanes.reduce(
      (sum, lane) =>
        sum +
        lane.prefillTokens.reduce((a, b) => a + b, 0) +
        lane.decodeTokens.reduce((a, b) => a + b, 0),
      0,
    );
    const multiplied = weightBytes(model) / 2 - model.vocabularySize * model.hiddenSize;
    const expected =
      (2 * multiplied * tokens) / (2 * hardware.peakFlopsPerSecond * run.metrics.makespanSeconds);
    for (const bins of [1, 7, 120]) {
      const found = utilisation(run, model, hardware, bins);
      expect(found.mean.compute).toBeCloseTo(expected, 9);
      const mean = found.series.compute.reduce((a, b) => a + b, 0) / bins;
      expect(mean).toBeCloseTo(expected, 4);
      expect(found.mean.kvCapacity).toBeLessThanOrEqual(run.metrics.kvUse.max);
      for (const share of found.series.bandwidth) expect(share).toBeLessThanOrEqual(1);
      expect(found.hasLink).toBe(false);
    }
  });
});

describe('utilisation of accelerators that lanes do not stand for one by one', () => {
  const source = { ...load.source, type: 'generator' as const, requests: 200 };
  const few = generateWorkload(load, source as typeof load.source & { type: 'generator' });
  const found = (strategy: object, more: object = {}) => {
    const params = serveParams.parse({ strategy: { type: 'composed', ...strategy }, ...more });
    const run = simulate(params, few, makeCostModel(params));
    return { run, of: utilisation(run, MODELS[params.model], HARDWARE[params.hardware], 120) };
  };
  const flopShare = ({ run }: ReturnType<typeof found>, accelerators: number) => {
    const { model, hardware } = serveParams.parse({});
    const spec = MODELS[model];
    const multiplied = weightBytes(spec) / 2 - spec.vocabularySize * spec.hiddenSize;
    const tokens = run.lanes
      .filter(({ role }) => role === 'prefill' || role === 'decode')
      .reduce(
        (sum, lane) =>
          sum +
          lane.prefillTokens.reduce((a, b) => a + b, 0) +
          lane.decodeTokens.reduce((a, b) => a + b, 0),
        0,
      );
    return (
      (2 * multiplied * tokens) /
      (accelerators * HARDWARE[hardware].peakFlopsPerSecond * run.metrics.makespanSeconds)
    );
  };

  it('two phases on one accelerator are one accelerator with one memory', () => {
    const shared = found({ partition: { type: 'static', prefillShare: 0.6, decodeShare: 0.6 } });
    expect(shared.run.lanes.map(({ role }) => role)).toEqual(['prefill', 'decode', 'share']);
    expect(shared.of.mean.compute).toBeCloseTo(flopShare(shared, 1), 6);
    // No more than the most that was ever in use, and no less than decodes alone kept.
    const [, decodes] = shared.run.lanes;
    if (decodes === undefined) throw new Error('expected two lanes');
    const kept = decodes.durationSeconds.reduce(
      (sum, seconds, i) => sum + seconds * (decodes.kvBlocksUsed[i] as number),
      0,
    );
    const whole = shared.run.kvPlan.blocks * shared.run.metrics.makespanSeconds;
    expect(shared.of.mean.kvCapacity).toBeLessThanOrEqual(shared.run.metrics.kvUse.max);
    expect(shared.of.mean.kvCapacity).toBeGreaterThanOrEqual(0.9 * (kept / whole));
  });

  it('pools count the accelerators of each, as many as a replica of theirs has', () => {
    const pools = found({
      topology: { type: 'pools', prefillTensorParallel: 2, decodeTensorParallel: 4 },
    });
    expect(pools.run.accelerators).toBe(6);
    expect(pools.of.mean.compute).toBeCloseTo(flopShare(pools, 6), 6);
  });

  it('encoders are a resource of their own, and no link', () => {
    const load = { ...few, items: few.promptTokens.map(() => 2) };
    const params = serveParams.parse({
      strategy: { type: 'composed', encode: { type: 'pool', workers: 2 } },
    });
    const run = simulate(params, load, makeCostModel(params));
    const encoders = run.lanes.filter(({ role }) => role === 'encode');
    expect(encoders).toHaveLength(2);
    const { mean, hasLink, hasEncoder } = utilisation(
      run,
      MODELS[params.model],
      HARDWARE[params.hardware],
      120,
    );
    const busy = encoders.reduce(
      (sum, lane) => sum + lane.durationSeconds.reduce((a, b) => a + b, 0),
      0,
    );
    expect([hasLink, hasEncoder]).toEqual([false, true]);
    expect(mean.encoder).toBeCloseTo(busy / 2 / run.metrics.makespanSeconds, 6);
    expect(encoders.flatMap(({ requestIds }) => [...(requestIds ?? [])])).toContain(7);
  });
});
