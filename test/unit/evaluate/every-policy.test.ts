import { describe, expect, test } from 'vitest';
import { POLICIES } from '../../../lib/cache/policies';
import { runSample } from '../../../lib/evaluate/run-sample';
import type { CacheBudget } from '../../../lib/spec/cache-policy';
import { TASKS } from '../../../lib/tasks/registry';
import { WORDS } from '../../../lib/tasks/vocabulary';
import type { Transformer } from '../../../lib/transformer/types';
import { createWasmTransformer } from '../../../lib/wasm/transformer';
import { randomModel, SMALL } from '../cache/random-model';

/** Every word of the tasks, and two layers: answers are noise, but every path is walked. */
const CONFIG = { ...SMALL, layers: 2, vocabularySize: WORDS.length };
const plain = randomModel(3, CONFIG);
const model = createWasmTransformer(CONFIG, plain.weights);

const BUDGETS: readonly CacheBudget[] = [
  { type: 'tokens', tokens: 1 },
  { type: 'ratio', share: 0.25 },
  { type: 'ratio', share: 1 },
];

describe('every policy on every task, from one slot to everything', () => {
  test.each([...POLICIES.keys()])('%s', (id) => {
    const entry = POLICIES.get(id)!;
    for (const task of TASKS) {
      const contextTokens = Math.max(64, task.leastContextTokens());
      const hasTurns = task.sample({ contextTokens, seed: 1, index: 0 }).turns.length > 1;
      for (const budget of BUDGETS) {
        const factory = { label: id, open: (given: Transformer) => entry.open(given, budget) };
        const protocols =
          task.metric === 'loss above entropy'
            ? (['hidden'] as const)
            : (['hidden', hasTurns ? 'turns' : 'known'] as const);
        for (const protocol of protocols) {
          const plan = {
            taskId: task.id,
            contextTokens,
            seed: 1,
            samples: 1,
            protocol,
            answersStay: false,
          };
          const { held, answers, loss } = runSample(model, factory, task, plan, 0);
          const where = `${id} on ${task.id} at ${JSON.stringify(budget)}, ${protocol}`;
          expect(held.payload + held.overhead + held.host, where).toBeGreaterThan(0);
          // In sight of the policy, the question is part of what was seen.
          expect(held.tokensSeen, where).toBeGreaterThanOrEqual(contextTokens);
          if (loss === undefined) expect(answers.length, where).toBeGreaterThan(0);
          else expect(loss.lossNats, where).toBeGreaterThan(0);
        }
      }
    }
  });
});
