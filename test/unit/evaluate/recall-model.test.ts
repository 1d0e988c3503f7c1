import { describe, expect, test } from 'vitest';
import { readRecallFile } from '../../../lib/cli/run/recall-file';
import { evaluate } from '../../../lib/evaluate/evaluate';
import { INDUCTION_BAR } from '../../../lib/evaluate/gates';
import { probeHeads } from '../../../lib/evaluate/head-probes';
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
/** Where the gates are measured. */
const CONTEXT_TOKENS = 512;
const ANSWERED = 0.75;

describe('the shipped recall model', () => {
  test('passes the gate of the induction head', () => {
    const best = Math.max(...probeHeads(model, { texts: 2 }).map(({ induction }) => induction));
    expect(best).toBeGreaterThan(INDUCTION_BAR);
  });

  test('has the shape that forms are told of', () => {
    const { layers, heads, kvHeads, headSize, vocabularySize } = opened.config;
    expect({ layers, heads, kvHeads, headSize }).toEqual(RECALL_SHAPE);
    expect(vocabularySize).toBe(WORDS.length);
  });

  test.each(TASKS.map(({ id }) => id))('%s', async (id) => {
    const { accuracy, lossGapNats } = await evaluate({
      model,
      factory: sessionsOf('full', { type: 'ratio', share: 1 }),
      plan: {
        taskId: id,
        contextTokens: CONTEXT_TOKENS,
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
    } else if (RECALL_TASKS.includes(id)) expect(accuracy?.share).toBeGreaterThan(ANSWERED);
    else expect(accuracy?.share).toBeLessThan(ANSWERED);
  });
});
