import { describe, expect, test } from 'vitest';
import { readRecallFile } from '../../../lib/cli/run/recall-file';
import { evaluate } from '../../../lib/evaluate/evaluate';
import { sessionsOf } from '../../../lib/evaluate/policies';
import { TASKS } from '../../../lib/tasks/registry';
import { WORDS } from '../../../lib/tasks/vocabulary';
import { openModel } from '../../../lib/transformer/load/open-model';
import { RECALL_FILES, RECALL_SHAPE, RECALL_TASKS } from '../../../lib/transformer/recall';
import { createWasmTransformer } from '../../../lib/wasm/transformer';

const files = await Promise.all(
  RECALL_FILES.map(async (name) => [name, await readRecallFile(name)] as const),
);
const opened = await openModel(new Map(files));
const model = createWasmTransformer(opened.config, await opened.load());
const SAMPLES = 12;

describe('the shipped recall model', () => {
  test('has the shape that forms are told of', () => {
    const { layers, heads, kvHeads, headSize, vocabularySize } = opened.config;
    expect({ layers, heads, kvHeads, headSize }).toEqual(RECALL_SHAPE);
    expect(vocabularySize).toBe(WORDS.length);
  });

  test.each(TASKS.map((task) => [task.id, task] as const))('%s', async (id, task) => {
    const contextTokens = Math.max(320, task.leastContextTokens());
    const { accuracy, lossGapNats } = await evaluate({
      model,
      factory: sessionsOf('full', { type: 'ratio', share: 1 }),
      plan: {
        taskId: id,
        contextTokens,
        seed: 11,
        samples: SAMPLES,
        protocol: 'hidden',
        answersStay: false,
      },
    });
    if (lossGapNats !== undefined) {
      expect(RECALL_TASKS).toContain(id);
      expect(lossGapNats.mean).toBeGreaterThan(0);
      expect(lossGapNats.mean).toBeLessThan(1);
    } else if (RECALL_TASKS.includes(id)) expect(accuracy?.share).toBeGreaterThan(0.5);
    else expect(accuracy?.share).toBeLessThan(0.5);
  });
});
