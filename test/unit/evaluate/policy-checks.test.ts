import { describe, expect, test } from 'vitest';
import { POLICIES } from '../../../lib/cache/policies';
import { createMeasure } from '../../../lib/evaluate/checks/measure';
import { CACHE_CHECKS } from '../../../lib/evaluate/checks/registry';
import { runCacheCheck } from '../../../lib/evaluate/checks/run-check';
import type { CacheCheck } from '../../../lib/evaluate/checks/types';
import { policyCheckJob } from '../../../lib/run/policy-check-job';
import { isWithin } from '../../../lib/serving/checks/types';
import { openRecall } from './open-recall';

const model = await openRecall();
const SEED = 7;
const measure = createMeasure(model, SEED);

/** On the shipped model and so few contexts these go against what is claimed. */
const AGAINST: ReadonlySet<string> = new Set(['key-norm', 'razor-attention', 'ape']);

/** The same check on fewer contexts, for the time that a test has. */
function shortened(check: CacheCheck): CacheCheck {
  const arms = Object.entries(check.arms).map(([name, arm]) => [
    name,
    { ...arm, samples: Math.min(3, arm.samples) },
  ]);
  return { ...check, arms: Object.fromEntries(arms) };
}

describe('the check of a policy, on the shipped model', () => {
  test.each([...CACHE_CHECKS.values()].map((check) => [check.id, check] as const))(
    '%s',
    { timeout: 120_000 },
    (id, check) => {
      expect(POLICIES.has(id)).toBe(true);
      const phases = new Set<string>();
      const run = runCacheCheck(shortened(check), model, SEED, measure);
      let step = run.next();
      while (!step.done) {
        expect(step.value.fraction).toBeLessThanOrEqual(1);
        phases.add(step.value.phase);
        step = run.next();
      }
      const { figures, notes } = step.value;
      for (const { label, value, expected, source } of figures) {
        expect(Number.isFinite(value), label).toBe(true);
        if (expected) expect(source, label).toBeTruthy();
      }
      expect(notes).toHaveLength(2);
      const banded = figures.filter(({ expected }) => expected !== undefined);
      expect(banded.length).toBeGreaterThan(0);
      const holds = banded.every((figure) => isWithin(figure) === true);
      const shown = banded.map(({ label, value }) => `${label}: ${value}`).join('; ');
      expect(holds, shown).toBe(!AGAINST.has(id));
    },
  );

  test('can be cancelled, and is refused for a policy without one', async () => {
    const controller = new AbortController();
    const run = policyCheckJob('snapkv', SEED, model, controller.signal, () => controller.abort());
    await expect(run).rejects.toThrow('cancelled');
    await expect(
      policyCheckJob('lunch', SEED, model, new AbortController().signal, () => undefined),
    ).rejects.toThrow(/^no check for policy: lunch \(expected streaming-llm, /);
  });
});
