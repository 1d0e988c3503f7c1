import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../lib/random/random';
import { depthGrid } from '../../../lib/tasks/depth-grid';
import {
  FILLER_ENTROPY_NATS,
  SUCCESSOR_PROBABILITIES,
  successorsOf,
} from '../../../lib/tasks/filler';
import { powerLawSlots } from '../../../lib/tasks/generators/queried-pairs';
import { taskOf } from '../../../lib/tasks/registry';
import { NUMBER_TOKENS, toText } from '../../../lib/tasks/vocabulary';
import { solve } from './solve';

describe('known entropy', () => {
  const task = taskOf('known-entropy');
  const at = { contextTokens: 300, seed: 5, index: 0, options: { scoredTokens: 200 } };

  test('surprisals are those of the law, computed another way', () => {
    const { context, turns } = task.sample(at);
    const { question, surprisalNats } = turns[0]!;
    const text = [...context, ...question];
    for (let t = context.length; t < text.length; t++) {
      const reach = Math.min(256, t - 1);
      const distances = Array.from({ length: reach }, (_, i) => i + 1);
      const norm = distances.reduce((sum, d) => sum + 1 / d, 0);
      const copied = distances.reduce((sum, d) => sum + (text[t - d] === text[t] ? 1 / d : 0), 0);
      const rank = successorsOf(text[t - 2]!, text[t - 1]!).indexOf(text[t]!);
      const p = (0.25 * copied) / norm + 0.75 * (SUCCESSOR_PROBABILITIES[rank] ?? 0);
      expect(surprisalNats?.[t - context.length]).toBeCloseTo(-Math.log(p), 9);
    }
  });

  test('the mean surprisal lies between the grammar alone and the grammar with free copies', () => {
    let sum = 0;
    let count = 0;
    for (let index = 0; index < 30; index++) {
      for (const nats of task.sample({ ...at, index }).turns[0]!.surprisalNats!.slice(1)) {
        sum += nats;
        count++;
      }
    }
    expect(sum / count).toBeGreaterThan(0.75 * FILLER_ENTROPY_NATS);
    expect(sum / count).toBeLessThan(0.75 * FILLER_ENTROPY_NATS + 0.25 * Math.log(64) + Math.LN2);
  });
});

test('an asked depth is where the fact stands', () => {
  for (const id of ['passkey', 'niah-single', 'niah-multi-key-1', 'edits']) {
    const task = taskOf(id);
    for (const { contextTokens, depth } of depthGrid(task, [256, 512], 5)) {
      const { turns } = task.sample({ contextTokens, seed: 1, index: 0, options: { depth } });
      // Sentences are short: the nearest gap is within 32 tokens.
      expect(Math.abs(turns[0]!.depth - depth) * contextTokens).toBeLessThan(48);
    }
  }
  expect(() => depthGrid(taskOf('mqar'), [256], 5)).toThrow(
    'invalid task: mqar (its depth cannot be set)',
  );
  expect(() => depthGrid(taskOf('passkey'), [256], 1)).toThrow('invalid depths: 1');
});

test('slots of the power law are different, ascending, and mostly early', () => {
  const random = createRandom(3);
  const first = { early: 0, late: 0 };
  for (let i = 0; i < 400; i++) {
    const slots = powerLawSlots(4, 64, random);
    expect(new Set(slots).size).toBe(4);
    expect(slots).toEqual([...slots].sort((a, b) => a - b));
    expect(Math.min(...slots)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...slots)).toBeLessThanOrEqual(64);
    if (slots[0] === 1) first.early++;
    if (slots[0] === 2) first.late++;
  }
  // Slot 1 is drawn twice as often as slot 2; four draws of 64 take slot 1 in more than half.
  expect(first.early).toBeGreaterThan(200);
  expect(first.early).toBeGreaterThan(first.late * 1.5);
});

test('an edit of the text before gives the text after, and changes what follows', () => {
  for (const edit of ['insert', 'delete', 'replace']) {
    for (let index = 0; index < 50; index++) {
      const sample = taskOf('edits').sample({
        contextTokens: 160,
        seed: 9,
        index,
        options: { edit },
      });
      const { before, start, removed, inserted } = sample.edit!;
      const after = [...before.slice(0, start), ...inserted, ...before.slice(start + removed)];
      expect(after).toEqual(sample.context);
      const [touched, ...left] = sample.turns;
      expect(solve(before, touched!)).not.toEqual(touched!.answer);
      for (const turn of left) expect(solve(before, turn)).toEqual(turn.answer);
    }
  }
});

test('documents: aliases are resolved later, and the later of two values counts', () => {
  const kinds = new Set<string>();
  for (let index = 0; index < 60; index++) {
    const { context, turns, chunkStarts } = taskOf('chunk-qa').sample({
      contextTokens: 320,
      seed: 2,
      index,
    });
    const documentOf = (at: number) => chunkStarts!.findLastIndex((start) => start <= at);
    for (const { kind, evidence, question, answer } of turns) {
      kinds.add(kind);
      const documents = evidence.map(([start]) => documentOf(start));
      expect(evidence.every(([start, end]) => documentOf(start) === documentOf(end - 1))).toBe(
        true,
      );
      if (kind === 'two-hop') expect(documents[1]).toBeGreaterThan(documents[0]!);
      if (kind === 'conflict') {
        const text = toText(context.slice(0, chunkStarts![documents[0]!]));
        expect(text).toContain(`${toText(question.slice(1))} `);
        expect(NUMBER_TOKENS).toContain(answer[0]);
      }
    }
  }
  expect([...kinds].sort()).toEqual(['conflict', 'single-hop', 'two-hop']);
});
