import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../lib/random/random';
import { LOSS_CLASS, layOut, STAGES } from '../../../lib/tasks/training-mix';
import type { TaskSample } from '../../../lib/tasks/types';
import { BAR, PAD } from '../../../lib/tasks/vocabulary';

const ROWS = 120;

function samplesOf(stage: number, seed: number): TaskSample[] {
  const random = createRandom(seed);
  return Array.from({ length: ROWS }, () => STAGES[stage]!.sample(random));
}

/** Whether `part` stands in `list`, token after token. */
function holds(list: readonly number[], part: readonly number[]): boolean {
  return list.some((_, at) => part.every((token, i) => list[at + i] === token));
}

describe.each(STAGES.map((stage, index) => [index, stage.rowTokens] as const))(
  'stage %i',
  (index, rowTokens) => {
    const samples = samplesOf(index, 3);

    test('gives the same rows for the same seed, and others for another', () => {
      expect(samplesOf(index, 3)).toEqual(samples);
      expect(samplesOf(index, 4)).not.toEqual(samples);
    });

    test('fits its rows, and every row but a stream has an answer', () => {
      for (const sample of samples) {
        const { tokens, lossClass } = layOut(sample, rowTokens);
        expect(tokens).toHaveLength(rowTokens);
        expect(sample.context.length).toBeLessThanOrEqual(rowTokens);
        expect(lossClass.includes(LOSS_CLASS.answer)).toBe(sample.turns.length > 0);
        expect(tokens.every((t, i) => t !== PAD || lossClass[i] === LOSS_CLASS.none)).toBe(true);
      }
    });
  },
);

describe('the stages of repeats', () => {
  const rows = [10, 11, 12, 13, 14].flatMap((stage) => samplesOf(stage, 5));
  const ofKind = (kind: string) => rows.filter(({ turns }) => turns[0]?.kind === kind);

  test.each(['rounds', 'stretch', 'few symbols'])('%s: each answer goes on as before', (kind) => {
    expect(ofKind(kind).length).toBeGreaterThan(10);
    for (const { context, turns } of ofKind(kind)) {
      for (const { question, answer } of turns) {
        const asked = question.slice(kind === 'few symbols' ? -2 : -1);
        expect(asked).not.toContain(BAR);
        expect(holds(context, [...asked, ...answer])).toBe(true);
      }
    }
  });

  test('what follows a bar and a symbol is what followed the symbol', () => {
    expect(ofKind('first after bar').length).toBeGreaterThan(10);
    for (const { context, turns } of ofKind('first after bar')) {
      for (const { question, answer } of turns) {
        expect(question[0]).toBe(BAR);
        expect(holds(context, [...question.slice(1), ...answer])).toBe(true);
      }
    }
  });

  test('repeats stand at many distances from what they repeat', () => {
    const repeated = ofKind('rounds');
    const distances = new Set(
      repeated.map(({ context, turns }) => {
        const [{ question, answer }] = turns as [(typeof turns)[number]];
        return context.length + question.length - context.lastIndexOf(answer[0] as number);
      }),
    );
    expect(distances.size).toBeGreaterThan(repeated.length / 2);
  });

  test('values of several names are those stated for each, smallest first', () => {
    expect(ofKind('values of several').length).toBeGreaterThan(10);
    for (const { context, turns } of ofKind('values of several')) {
      for (const { question, answer } of turns) {
        const [, , name, is] = question as [number, number, number, number];
        const stated = context.filter(
          (_, i) => i > 1 && holds([name, is], context.slice(i - 2, i)),
        );
        expect(answer).toEqual(stated.toSorted((a, b) => a - b));
      }
    }
  });

  test('what was learnt before stays in every stage', () => {
    for (const stage of [10, 11, 12, 13, 14]) {
      const kinds = new Set(samplesOf(stage, 6).map(({ turns }) => turns[0]?.kind));
      for (const kind of ['fact', '2-hop', 'passkey', 'latest']) expect(kinds).toContain(kind);
    }
  });
});
