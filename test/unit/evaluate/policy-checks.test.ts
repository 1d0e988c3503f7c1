import { describe, expect, test } from 'vitest';
import { readSiblingFile } from '../../../lib/cli/run/sibling-file';
import { createMeasure } from '../../../lib/evaluate/checks/measure';
import { CACHE_CHECKS } from '../../../lib/evaluate/checks/registry';
import { runCacheCheck } from '../../../lib/evaluate/checks/run-check';
import { cacheCheckJob } from '../../../lib/run/cache-check-job';
import { createSiblings } from '../../../lib/run/recall-gap-job';
import { isCertain, isWithin } from '../../../lib/serving/checks/types';
import { SIBLING_NAMES } from '../../../lib/spec/kinds/recall-gap';
import { openRecall } from './open-recall';

const model = await openRecall();
const SEED = 1;
const CONTEXTS = 3;
const measure = createMeasure(model, SEED, CONTEXTS);
const signal = new AbortController().signal;
const siblings = await createSiblings(readSiblingFile)(SIBLING_NAMES, signal, () => undefined);
const models = { model, siblings };

/** What is true by construction or arithmetic, and not a claim: it must hold on any model. */
const MUST_HOLD = /by construction|arithmetic|theorem|lemma|nothing is|adds one token|only lower/i;

describe('the check of a policy, on the shipped model and few contexts', () => {
  test.each([...CACHE_CHECKS.values()].map((check) => [check.id, check] as const))(
    '%s',
    { timeout: 120_000 },
    (_, check) => {
      const ground = { ...models, seed: SEED, measure, mostContexts: CONTEXTS };
      const run = runCacheCheck(check, ground);
      let last = 0;
      let step = run.next();
      while (!step.done) {
        expect(step.value.fraction).toBeGreaterThanOrEqual(last);
        expect(step.value.fraction).toBeLessThanOrEqual(1);
        last = step.value.fraction;
        step = run.next();
      }
      const { figures, notes, series } = step.value;
      for (const { label, value, interval } of figures) {
        expect(Number.isFinite(value), label).toBe(true);
        if (interval === undefined) continue;
        expect(interval.low, label).toBeLessThanOrEqual(value);
        expect(interval.high, label).toBeGreaterThanOrEqual(value);
      }
      for (const { lines } of series) {
        for (const { x, y } of lines) expect(y).toHaveLength(x.length);
      }
      expect(new Set(figures.map(({ label }) => label)).size).toBe(figures.length);
      expect(notes.length).toBeGreaterThan(0);
      const banded = figures.filter(({ expected }) => expected !== undefined);
      expect(banded.length).toBeGreaterThan(0);
      for (const figure of banded) {
        if (!MUST_HOLD.test(figure.source ?? '')) continue;
        const surely = isCertain(figure) ?? true;
        if (surely) expect(isWithin(figure), `${figure.label}: ${figure.value}`).toBe(true);
      }
    },
  );

  test('asks a question and says whose rule it is', () => {
    for (const { asks, rule, title } of CACHE_CHECKS.values()) {
      expect(asks).toMatch(/\?$/);
      expect(rule.length).toBeGreaterThan(40);
      expect(title).not.toBe('');
    }
  });
});

describe('the job of a check', () => {
  test('gives the same figures for the same seed', async () => {
    const run = () => cacheCheckJob({ check: 'full', seed: 3 }, models, signal, () => undefined);
    const [first, second] = [await run(), await run()];
    expect(second.figures).toEqual(first.figures);
    expect(first).toMatchObject({ id: 'full', lab: 'cache', engine: 'wasm' });
  }, 60_000);

  test('can be cancelled, and is refused for what is no check of a policy', async () => {
    const controller = new AbortController();
    const params = { check: 'snapkv', seed: SEED };
    const run = cacheCheckJob(params, models, controller.signal, () => controller.abort());
    await expect(run).rejects.toThrow('cancelled');
    const other = (check: string) =>
      cacheCheckJob({ check, seed: SEED }, models, signal, () => undefined);
    await expect(other('lunch')).rejects.toThrow(
      /^unknown check: "lunch" \(expected one of full, /,
    );
    await expect(other('sarathi-serve')).rejects.toThrow(/one of the serving lab/);
  });

  test('says which sibling is missing', () => {
    const check = CACHE_CHECKS.get('jrt')!;
    const run = runCacheCheck(check, { model, siblings: new Map(), seed: 1 });
    expect(() => run.next()).toThrow('check jrt: no linear model');
  });
});
