import { describe, expect, it } from 'vitest';
import { workloadJob } from '../../../lib/run/simulation-jobs';
import type { OnProgress } from '../../../lib/run/worker-api';
import { workloadParams } from '../../../lib/spec/kinds/workload';
import { generated, generatedSteps } from '../../../lib/workload/generated';
import { workloadStatistics } from '../../../lib/workload/statistics';
import { runSteps, type WorkloadProgress } from '../../../lib/workload/steps';

type Progress = Parameters<OnProgress>[0];
const parse = (source: object) => workloadParams.parse({ source });
const plain = (requests: number) => parse({ type: 'generator', requests, ratePerSecond: 50 });
const shared = (requests: number) =>
  parse({
    type: 'synthetic',
    requests,
    ratePerSecond: 50,
    lengths: { model: 'fixed', promptTokens: 32, outputTokens: 4 },
    sharing: { type: 'groups', groups: 10, prefixTokens: 64 },
  });
const job = (params: ReturnType<typeof parse>, signal: AbortSignal, on: (p: Progress) => void) =>
  workloadJob(params, undefined, signal, on);
const never = new AbortController().signal;

describe('a large load', () => {
  it.each([
    ['generator', plain(300_000)],
    ['synthetic', shared(100_000)],
  ])('of a %s is drawn with progress that never goes back', async (_, params) => {
    const seen: Progress[] = [];
    const workload = await job(params, never, (progress) => seen.push(progress));
    expect(workload.promptTokens.length).toBe(
      params.source.type === 'generator' || params.source.type === 'synthetic'
        ? params.source.requests
        : -1,
    );
    const fractions = seen.map(({ fraction }) => fraction ?? -1);
    expect(fractions.length).toBeGreaterThan(0);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBeLessThanOrEqual(1);
    expect(workload.statistics?.promptTokens).toBeDefined();
  });

  it.each([
    ['generator', plain(1_000_000), 'drawing requests'],
    ['synthetic', shared(400_000), 'drawing requests'],
  ])('of a %s can be cancelled midway', async (_, params, phase) => {
    const controller = new AbortController();
    const seen: Progress[] = [];
    const drawing = job(params, controller.signal, (progress) => {
      seen.push(progress);
      controller.abort();
    });
    await expect(drawing).rejects.toMatchObject({ name: 'AbortError' });
    expect(seen).toHaveLength(1);
    expect(seen[0]?.phase).toBe(phase);
    expect(seen[0]?.fraction).toBeLessThan(0.6);
  });

  it('can be cancelled while its statistics are made', async () => {
    const lines = Array.from({ length: 40_000 }, (_, i) =>
      JSON.stringify({
        arrival_s: i,
        prompt_tokens: 512 * 8,
        output_tokens: 4,
        hash_ids: Array.from({ length: 8 }, (__, b) => (i * 7 + b) % 9000),
      }),
    );
    const controller = new AbortController();
    const phases: string[] = [];
    const reading = workloadJob(
      parse({ type: 'json-lines' }),
      new Blob([lines.join('\n')]),
      controller.signal,
      ({ phase }) => {
        phases.push(phase);
        if (phase !== 'reading') controller.abort();
      },
    );
    // Statistics of so few may fit in one slice: then the job ends, and nothing was to be heard.
    const end = await reading.then(
      () => 'done',
      (error: Error) => error.name,
    );
    expect(end).toBe(phases.some((phase) => phase !== 'reading') ? 'AbortError' : 'done');
  });
});

describe('steps of a load', () => {
  it('give what the work at once gives, and yield between few rows', () => {
    for (const params of [plain(10_000), shared(9000)]) {
      const { source } = params;
      if (source.type !== 'generator' && source.type !== 'synthetic')
        throw new Error('unreachable');
      const yields: WorkloadProgress[] = [];
      const steps = generatedSteps(params, source);
      let step = steps.next();
      for (; step.done !== true; step = steps.next()) yields.push(step.value);
      expect(step.value).toEqual(generated(params, source));
      expect(yields.length).toBeGreaterThanOrEqual(4);
      expect(workloadStatistics(step.value)).toEqual(workloadStatistics(generated(params, source)));
      expect(runSteps(generatedSteps(params, source))).toEqual(step.value);
    }
  });
});
