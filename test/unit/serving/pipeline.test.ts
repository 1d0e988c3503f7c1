import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { createPipeline, pipelineRule } from '../../../lib/serving/engine/pipeline';
import { HARDWARE } from '../../../lib/serving/presets/hardware';
import { planKv } from '../../../lib/serving/presets/kv-plan';
import { linkOf } from '../../../lib/serving/presets/links';
import { MODELS } from '../../../lib/serving/presets/models';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { type Row, workloadOf } from './arbitrary-composed';
import { expectConservation } from './conservation';

const rule = { stages: 4, share: 0.25, transferSeconds: () => 0, label: '' };

const run = (cell: object, rows: readonly Row[]) => {
  const params = serveParams.parse(cell);
  return simulate(params, workloadOf([...rows]), makeCostModel(params));
};

/** 200 requests at once: throughput and not latency. */
const burst: readonly Row[] = Array.from({ length: 200 }, () => [0, 256, 32, 0] as const);

describe('a pipeline of stages', () => {
  it('is full with as many equal micro-batches as stages: one leaves per stage time', () => {
    const pipeline = createPipeline(rule);
    const ends = [0, 0, 0, 0].map((now) => pipeline.enter(now, 1, 1));
    expect(ends).toEqual([1, 1.25, 1.5, 1.75]);
    expect(pipeline.enter(1, 1, 1)).toBe(2);
  });

  it('has the bubbles of its fill: (stages - 1) / micro-batches of the ideal time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 40 }), (p, m) => {
        const pipeline = createPipeline({ ...rule, stages: p, share: 1 / p });
        let end = 0;
        for (let i = 0; i < m; i++) end = pipeline.enter(0, 1, 1);
        const ideal = m / p;
        expect((end - ideal) / ideal).toBeCloseTo((p - 1) / m, 9);
      }),
    );
  });

  it('lets a short micro-batch wait behind a long one and never overtake it', () => {
    const pipeline = createPipeline({ ...rule, stages: 2, share: 0.5 });
    expect(pipeline.enter(0, 2, 1)).toBe(2);
    expect(pipeline.enter(0, 0.2, 1)).toBeCloseTo(2.1, 12);
  });

  it('is as slow as the stage with the most layers, and sends the hidden state', () => {
    const model = MODELS['llama-3.1-8b'];
    const link = { bytesPerSecond: 1e9, latencySeconds: 1e-5, source: 'a test' };
    const three = pipelineRule(model, 3, link);
    expect(three.share).toBe(11 / 32);
    expect(three.transferSeconds(100)).toBeCloseTo(1e-5 + (100 * 4096 * 2) / 1e9, 12);
  });
});

describe('pipeline parallel replicas', () => {
  it('give one request no speed, and it pays for the transfers', () => {
    const one: readonly Row[] = [[0, 500, 20, 0]];
    const flat = run({}, one).requests.completedSeconds[0] as number;
    const staged = run({ pipelineParallel: 4 }, one).requests.completedSeconds[0] as number;
    const link = linkOf(HARDWARE['a100-80g']);
    const { transferSeconds } = pipelineRule(MODELS['llama-3.1-8b'], 4, link);
    const transfers = 3 * (transferSeconds(500) + 19 * transferSeconds(1));
    expect(staged - flat).toBeCloseTo(transfers, 9);
  });

  it('give a burst nearly as much throughput as there are stages, and less than replicas do', () => {
    const strategy = { type: 'composed', admission: { type: 'watermark', maxSequences: 16 } };
    const makespan = (cell: object) => run({ strategy, ...cell }, burst).metrics.makespanSeconds;
    const flat = makespan({});
    const staged = makespan({ pipelineParallel: 4 });
    expect(flat / staged).toBeGreaterThan(2.5);
    expect(flat / staged).toBeLessThan(4);
  });

  it('share the KV blocks out over the micro-batches, and a stage holds its share of both', () => {
    const params = serveParams.parse({ model: 'llama-3.1-70b', tensorParallel: 2 });
    const model = MODELS[params.model];
    const hardware = HARDWARE[params.hardware];
    expect(() => planKv(model, hardware, params)).not.toThrow();
    expect(() => planKv(model, hardware, params, { tensor: 1, pipeline: 1 })).toThrow(
      /does not fit/,
    );
    const staged = planKv(model, hardware, params, { tensor: 1, pipeline: 2 });
    expect(staged.blocks).toBe(planKv(model, hardware, params).blocks);
    const result = run({ pipelineParallel: 2, memory: { kvBlocks: 101 } }, burst);
    expect(result.lanes.map(({ kvBlocksTotal }) => kvBlocksTotal)).toEqual([50, 50]);
    expect(result.accelerators).toBe(2);
    expectConservation(result, 50);
  });

  it('may differ between the pools, and the cell says how many accelerators that makes', () => {
    const strategy = {
      type: 'distserve',
      prefillReplicas: 2,
      decodeReplicas: 1,
      prefillTensorParallel: 1,
      decodeTensorParallel: 2,
      decodePipelineParallel: 2,
    };
    const result = run({ strategy }, burst);
    expect(result.accelerators).toBe(6);
    expect(result.lanes.map(({ role }) => role)).toEqual([
      'prefill',
      'prefill',
      'decode',
      'decode',
      'link',
    ]);
    expect(result.costModel.label).toMatch(/^prefill: .* on 1 x .*; decode: .* on 2 x /);
    expectConservation(result, Math.max(...result.lanes.map(({ kvBlocksTotal }) => kvBlocksTotal)));
    const faster = run({ strategy: { ...strategy, prefillTensorParallel: 4 } }, burst);
    expect(faster.metrics.ttftSeconds.mean).toBeLessThan(result.metrics.ttftSeconds.mean);
  });

  it('are refused where they are not simulated', () => {
    expect(() => run({ strategy: { type: 'vllm-v1' }, pipelineParallel: 2 }, burst)).toThrow(
      'invalid pipelineParallel: 2 (strategy vllm-v1 has no stages here: take a composed strategy)',
    );
  });
});
