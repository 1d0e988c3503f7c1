import { expect, test } from 'vitest';
import { evaluate } from '../../../lib/evaluate/evaluate';
import { sessionsOf } from '../../../lib/evaluate/policies';
import type { Evaluation } from '../../../lib/evaluate/types';
import { createEvaluationPool } from '../../../lib/run/evaluation-pool';
import { createEvaluationService, type EvaluationJob } from '../../../lib/run/evaluation-service';
import { createLocalClient } from '../../../lib/run/local-client';
import { WORDS } from '../../../lib/tasks/vocabulary';
import { randomModel, SMALL } from '../cache/random-model';

const model = randomModel(3, { ...SMALL, vocabularySize: WORDS.length });

/** Clients whose calls are answered after other delays each, so that outcomes come out of order. */
function poolOf(count: number) {
  return createEvaluationPool(
    Array.from({ length: count }, (_, i) => {
      const service = createEvaluationService();
      let calls = 0;
      return createLocalClient(
        {
          ...service,
          async run(...args: Parameters<typeof service.run>) {
            const outcomes = await service.run(...args);
            await new Promise((resolve) => setTimeout(resolve, ((i + calls++) * 7) % 5));
            return outcomes;
          },
        },
        `evaluation ${i}`,
      );
    }),
  );
}

async function run(
  count: number,
  job: EvaluationJob,
): Promise<Omit<Evaluation, 'prefillSeconds' | 'askSeconds'>> {
  const pool = poolOf(count);
  await pool.load({ config: model.config, weights: model.weights, engine: 'reference' });
  const { prefillSeconds, askSeconds, ...rest } = await pool.run(job);
  expect(prefillSeconds + askSeconds).toBeGreaterThan(0);
  return rest;
}

function jobOf(taskId: string, change: Partial<EvaluationJob['plan']> = {}): EvaluationJob {
  return {
    policyId: 'random',
    budget: { type: 'ratio', share: 0.5 },
    plan: {
      taskId,
      contextTokens: 48,
      seed: 6,
      samples: 11,
      protocol: 'hidden',
      answersStay: false,
      ...change,
    },
  };
}

test('results do not depend on the number of workers', async () => {
  for (const job of [
    jobOf('known-entropy', { options: { scoredTokens: 6 } }),
    jobOf('multi-turn', { protocol: 'turns' }),
  ]) {
    const alone = await run(1, job);
    expect(alone.samplesDone).toBe(11);
    expect(await run(2, job)).toEqual(alone);
    expect(await run(5, job)).toEqual(alone);
    const factory = sessionsOf(job.policyId, job.budget);
    const { prefillSeconds, askSeconds, ...rest } = await evaluate({
      model,
      factory,
      plan: job.plan,
    });
    expect(prefillSeconds + askSeconds).toBeGreaterThan(0);
    expect(rest).toEqual(alone);
  }
});

test('partial results come in order, a cancel ends all workers, and the next job runs', async () => {
  const pool = poolOf(2);
  await pool.load({ config: model.config, weights: model.weights, engine: 'reference' });
  const controller = new AbortController();
  const seen: number[] = [];
  const job = jobOf('niah-single', { samples: 1000 });
  const running = pool.run(
    job,
    ({ samplesDone }) => {
      seen.push(samplesDone);
      if (samplesDone >= 6) controller.abort();
    },
    controller.signal,
  );
  await expect(running).rejects.toThrow('cancelled');
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(seen.length).toBeLessThan(20);
  expect((await pool.run(jobOf('niah-single'))).samplesDone).toBe(11);
});

test('what is wrong with a job is said once', async () => {
  const pool = poolOf(2);
  await expect(pool.run(jobOf('niah-single'))).rejects.toThrow('no model is loaded');
  await pool.load({ config: model.config, weights: model.weights, engine: 'reference' });
  await expect(pool.run(jobOf('passkey', { protocol: 'turns' }))).rejects.toThrow(
    'invalid protocol: turns for passkey',
  );
  await expect(pool.run({ ...jobOf('passkey'), policyId: 'none' })).rejects.toThrow(
    'unknown policy: none',
  );
  await expect(
    pool.load({ config: model.config, weights: model.weights, engine: 'abacus' }),
  ).rejects.toThrow('unknown engine: abacus (expected reference');
});
