import { describe, expect, test, vi } from 'vitest';
import type { CacheResult } from '../../../lib/evaluate/cell-result';
import { runSamples } from '../../../lib/evaluate/evaluate';
import { fitGates } from '../../../lib/evaluate/fit-gates';
import { createFold } from '../../../lib/evaluate/fold';
import { composedSessions, sessionsOf } from '../../../lib/evaluate/policies';
import { cacheJob } from '../../../lib/run/cache-job';
import { createEvaluationPool, type EvaluationPool } from '../../../lib/run/evaluation-pool';
import type { EvaluationApi } from '../../../lib/run/evaluation-service';
import type { LoadedModel } from '../../../lib/run/model-service';
import { decodeResult, encodeResult } from '../../../lib/run/result-json';
import type { WorkerClient } from '../../../lib/run/worker-client';
import { cacheParams } from '../../../lib/spec/kinds/cache';
import { taskOf } from '../../../lib/tasks/registry';
import { WORDS } from '../../../lib/tasks/vocabulary';
import { wordTokenizer } from '../../../lib/transformer/load/word-tokenizer';
import { accuracyLabel, accuracyPoints } from '../../../lib/views/charts/accuracy-bytes';
import { randomModel, SMALL } from '../cache/random-model';

const transformer = randomModel(3, { ...SMALL, vocabularySize: WORDS.length });
const loaded = {
  name: 'tiny',
  transformer,
  tokenizer: wordTokenizer,
} as Partial<LoadedModel> as LoadedModel;

/** Evaluates in this thread. */
const pool: EvaluationPool = {
  workers: 1,
  load: async () => undefined,
  async run({ policyId, budget, composed, plan, gates }, onProgress, signal) {
    const fold = createFold(taskOf(plan.taskId), plan);
    const factory = composed
      ? composedSessions(composed)
      : sessionsOf(policyId, budget, gates ? { gates } : {});
    const take = (outcome: Parameters<typeof fold.add>[0]) => {
      fold.add(outcome);
      onProgress?.(fold.evaluation());
    };
    await runSamples({ model: transformer, factory, plan }, 0, plan.samples, take, signal);
    return fold.evaluation();
  },
  dispose: () => undefined,
};

const params = cacheParams.parse({
  entries: [
    { type: 'preset', id: 'full' },
    { type: 'preset', id: 'snapkv', share: 0.5 },
    { type: 'preset', id: 'snapkv', share: 0.5 },
    { type: 'preset', id: 'nothing-like-it' },
    { type: 'preset', id: 'oracle-top-k' },
    { type: 'composed', label: 'mine', policy: { budget: { type: 'tokens', tokens: 8 } } },
  ],
  contextTokens: 64,
  samples: 2,
});
const never = new AbortController().signal;
const run = (change: object = {}, signal = never) =>
  cacheJob({ ...params, ...change }, { loaded, pool }, signal, () => undefined);

describe('policies side by side', () => {
  test('tell alike ones apart, and one that is unknown stops none of the others', async () => {
    const { runs, labels, generatedLabels, attention } = await run();
    expect(runs.map(({ label }) => label)).toEqual([
      'full cache',
      'SnapKV 50 %',
      'SnapKV 50 % (2)',
      'nothing-like-it 25 %',
      'oracle top-k 25 %',
      'mine 8 tokens',
    ]);
    expect(runs[3]?.problem).toMatch(/^unknown policy: nothing-like-it \(expected full, /);
    expect(runs.filter(({ evaluation }) => evaluation !== undefined)).toHaveLength(5);
    expect(runs.map(({ isOracle }) => isOracle)).toEqual([false, false, false, false, true, false]);
    expect(labels).toHaveLength(64);
    expect(generatedLabels).toHaveLength(6);
    expect(attention).toBeInstanceOf(Float32Array);
  });

  test('show the gates that heads went by, and fit them where that is asked', async () => {
    const entries = [
      { type: 'preset', id: 'duo-attention', share: 0.6 },
      { type: 'preset', id: 'duo-attention', share: 0.6, gates: { type: 'fitted', samples: 3 } },
      { type: 'preset', id: 'snapkv', share: 0.25 },
    ];
    const { runs } = await cacheJob(
      { ...params, ...cacheParams.parse({ ...params, entries }) },
      { loaded, pool },
      never,
      () => undefined,
    );
    const [own, fitted, none] = runs;
    expect(own?.gates).toMatchObject({ by: expect.stringMatching(/mean-query/), isFitted: false });
    expect(fitted?.gates).toMatchObject({ by: 'retrieval on 3 passkey contexts', isFitted: true });
    expect(none?.gates).toBeUndefined();
    expect(fitted?.label).toBe('DuoAttention, fitted gates 60 %');
    const shape = (gates: typeof own) => gates?.gates?.values.map(({ length }) => length);
    expect(shape(fitted)).toEqual([2, 2, 2]);
    expect(shape(own)).toEqual([2, 2, 2]);
    // Attention to where the answer stands is a share, and what is kept goes by it.
    for (const gate of fitted?.gates?.values.flat() ?? []) {
      expect(gate).toBeGreaterThan(0);
      expect(gate).toBeLessThan(1);
    }
    expect(fitted?.look?.states).not.toEqual(own?.look?.states);
    const again = [...fitGates(transformer, { samples: 3, contextTokens: 64, seed: 7 })];
    expect(again).toEqual([1 / 3, 2 / 3, 1]);
  });

  test('become points: as many as have answers, at the bytes that are held', async () => {
    const result = await run();
    const points = accuracyPoints(result);
    expect(points.map(({ label }) => label)).not.toContain('nothing-like-it 25 %');
    expect(points).toHaveLength(5);
    const [full, half] = points;
    expect(full!.bytesPerToken).toBeGreaterThan(1.9 * (half!.bytesPerToken - 8));
    for (const { low, accuracy, high } of points) {
      expect(low).toBeLessThanOrEqual(accuracy);
      expect(high).toBeGreaterThanOrEqual(accuracy);
    }
    expect(accuracyLabel(points)).toContain('mine 8 tokens');
  });

  test('keep their results to the bit as JSON', async () => {
    const result = await run();
    const json = JSON.parse(JSON.stringify(encodeResult(result))) as unknown;
    const back = decodeResult(json) as typeof result;
    expect(back.attention).toEqual(result.attention);
    for (const [i, { look }] of result.runs.entries()) {
      expect(back.runs[i]?.look?.states).toEqual(look?.states);
      expect(back.runs[i]?.look?.scores).toEqual(look?.scores);
      expect(back.runs[i]?.evaluation?.accuracy).toEqual(result.runs[i]?.evaluation?.accuracy);
    }
  });

  test('refuse a task that is unknown and a context that the model has no room for', async () => {
    await expect(run({ task: 'no-such-task' })).rejects.toThrow(/no-such-task/);
    const room = transformer.config.maxPositions;
    await expect(run({ contextTokens: room })).rejects.toThrow(
      `invalid contextTokens: ${room} (expected below the model's ${room} positions)`,
    );
  });

  test('tell what is there while they run: policies that are done, and the one that runs', async () => {
    vi.spyOn(performance, 'now').mockImplementation(() => (clock += 1000));
    let clock = 0;
    const parts: CacheResult[] = [];
    const whole = await cacheJob(params, { loaded, pool }, never, ({ partial }) => {
      if (partial?.kind === 'cache') parts.push(structuredClone(partial.value));
    });
    vi.restoreAllMocks();
    const done = parts.map(({ runs }) => runs.map(({ evaluation }) => evaluation?.samplesDone));
    expect(done[0]).toEqual([1]);
    expect(done).toContainEqual([2, 1]);
    // The fourth is unknown and has nothing to show.
    expect(done).toContainEqual([2, 2, 2, undefined, 1]);
    for (const { runs, attention, labels, generatedLabels } of parts) {
      expect(attention).toEqual(whole.attention);
      expect(labels).toEqual(whole.labels);
      expect(generatedLabels).toHaveLength(runs.length);
      for (const [i, run] of runs.entries()) {
        const isDone = run.evaluation?.samplesDone === params.samples;
        if (run.look !== undefined) expect(isDone).toBe(true);
        expect(run.label).toBe(whole.runs[i]!.label);
      }
      for (const { low, high } of accuracyPoints({ ...whole, runs })) {
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
      }
    }
  });

  test('end with an AbortError when cancelled, between policies too', async () => {
    const controller = new AbortController();
    const running = cacheJob(params, { loaded, pool }, controller.signal, () => controller.abort());
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
  });
});

test('a pool lets go of a job at once, though its worker is deep in a sample', async () => {
  const client: WorkerClient<EvaluationApi> = {
    name: 'busy',
    call: () => new Promise(() => undefined),
    dispose: () => undefined,
  };
  const controller = new AbortController();
  const plan = {
    taskId: 'passkey',
    contextTokens: 64,
    seed: 1,
    samples: 4,
    protocol: 'hidden',
    answersStay: false,
  } as const;
  const running = createEvaluationPool([client, client]).run(
    { policyId: 'full', budget: { type: 'ratio', share: 1 }, plan },
    undefined,
    controller.signal,
  );
  controller.abort();
  // Its workers never answer: what rejects is the pool itself.
  await expect(running).rejects.toMatchObject({ name: 'AbortError' });
});
