import { describe, expect, test } from 'vitest';
import { EDIT_POLICIES, EDIT_TASK } from '../../../lib/evaluate/edit-trace';
import { evaluate } from '../../../lib/evaluate/evaluate';
import { sessionsOf } from '../../../lib/evaluate/policies';
import { taskOf } from '../../../lib/tasks/registry';
import { openRecall } from './open-recall';

const model = await openRecall();
const SAMPLES = 10;
const CONTEXT = 192;

async function run(id: string, edit: string) {
  const plan = {
    taskId: EDIT_TASK,
    contextTokens: CONTEXT,
    seed: 7,
    samples: SAMPLES,
    protocol: 'hidden',
    answersStay: false,
    options: { edit },
  } as const;
  const factory = sessionsOf(id, { type: 'ratio', share: 1 });
  const { accuracy, recomputedTokenLayersPerSample } = await evaluate({ model, factory, plan });
  return {
    right: accuracy?.right ?? 0,
    tokens: recomputedTokenLayersPerSample / model.config.layers,
  };
}

describe.each(['insert', 'delete', 'replace'])('after the edit %s', (edit) => {
  test('what is run again falls from everything to nothing, and what is exact answers alike', async () => {
    const [full, prefix, splice, pie] = await Promise.all(EDIT_POLICIES.map((id) => run(id, edit)));
    const samples = Array.from({ length: SAMPLES }, (_, index) =>
      taskOf(EDIT_TASK).sample({ contextTokens: CONTEXT, seed: 7, index, options: { edit } }),
    );
    const mean = (of: (at: (typeof samples)[number]) => number) =>
      samples.reduce((sum, sample) => sum + of(sample), 0) / SAMPLES;
    expect(full!.tokens).toBeCloseTo(
      mean(({ context, edit: made }) => context.length - made!.inserted.length),
      6,
    );
    expect(prefix!.tokens).toBeCloseTo(
      mean(({ context, edit: made }) => context.length - made!.start - made!.inserted.length),
      6,
    );
    expect(prefix!.tokens).toBeLessThan(full!.tokens);
    expect(splice!.tokens).toBe(0);
    expect(pie!.tokens).toBe(0);
    expect(prefix!.right).toBe(full!.right);
    // A later statement of a name takes over only about half of the time; chance is below 1 %.
    expect(full!.right).toBeGreaterThan(SAMPLES / 4);
  });
});
