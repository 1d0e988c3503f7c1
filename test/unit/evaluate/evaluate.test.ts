import { describe, expect, test } from 'vitest';
import { fullSession } from '../../../lib/cache/full-session';
import { evaluate } from '../../../lib/evaluate/evaluate';
import { createFold } from '../../../lib/evaluate/fold';
import { policyOf } from '../../../lib/evaluate/policies';
import { runSample } from '../../../lib/evaluate/run-sample';
import type { AskPlan, Evaluation } from '../../../lib/evaluate/types';
import { TASKS, taskOf } from '../../../lib/tasks/registry';
import { ASK, END, WORDS } from '../../../lib/tasks/vocabulary';
import { randomModel, SMALL } from '../cache/random-model';
import { type Call, readerSessions } from './reader-session';

const model = randomModel(3, { ...SMALL, vocabularySize: WORDS.length });
const everything = readerSessions(() => true);

function planOf(taskId: string, change: Partial<AskPlan> = {}): AskPlan {
  return {
    taskId,
    contextTokens: 256,
    seed: 4,
    samples: 12,
    protocol: 'hidden',
    answersStay: false,
    ...change,
  };
}
const run = (plan: AskPlan, factory = everything) => evaluate({ model, factory, plan });

/** Results without the seconds, which are of the run alone. */
function timeless({ prefillSeconds, askSeconds, ...rest }: Evaluation) {
  expect(prefillSeconds).toBeGreaterThanOrEqual(0);
  expect(askSeconds).toBeGreaterThanOrEqual(0);
  return rest;
}

describe('a reader that keeps everything', () => {
  const asked = TASKS.filter(({ metric }) => metric === 'exact match');
  test.each(asked.map(({ id }) => id))('is right in %s under every protocol', async (id) => {
    for (const protocol of ['known', 'hidden', 'turns'] as const) {
      for (const answersStay of [false, true]) {
        const plan = planOf(id, { protocol, answersStay, samples: 4 });
        const turns = taskOf(id).sample({ ...plan, index: 0 }).turns.length;
        if (protocol === 'turns' && turns < 2) {
          await expect(run(plan)).rejects.toThrow(`invalid protocol: turns for ${id}`);
          continue;
        }
        const { accuracy, tokenAccuracy, samplesDone } = await run(plan);
        expect(samplesDone).toBe(4);
        expect(accuracy?.share).toBe(1);
        expect(tokenAccuracy).toBe(1);
        expect(accuracy?.total).toBeGreaterThanOrEqual(4);
      }
    }
  });
});

test('a reader that forgets the first half is right in the second, and the bytes are the ledger', async () => {
  const forgets = readerSessions((at, count) => at >= count / 2);
  const { accuracy, byDepth, bytesPerToken, byteRatio, slotRatio, ...rest } = await run(
    planOf('niah-single', { samples: 60 }),
    forgets,
  );
  for (const { key, share } of byDepth) expect(share).toBe(key < 0.5 ? 0 : 1);
  expect(accuracy?.total).toBe(60);
  expect(accuracy?.share).toBeGreaterThan(0.25);
  expect(accuracy?.share).toBeLessThan(0.75);
  expect(accuracy?.low).toBeLessThan(accuracy?.share as number);
  // 3 layers, the first on the host, 2 heads of 8: 128 of 256 tokens kept.
  expect(bytesPerToken).toEqual({
    payload: (2 * 100 * 128) / 256,
    overhead: (2 * (4 * 128 + 6)) / 256,
    host: (104 * 128 + 6) / 256,
    full: 2 * 2 * 8 * 2 * 3,
  });
  expect(byteRatio).toBeCloseTo((3 * (104 * 128 + 6)) / (256 * 192), 12);
  expect(slotRatio).toBe(0.5);
  expect(rest.movedBytesPerSample).toBe(7);
  expect(rest.recomputedTokenLayersPerSample).toBe(5);
  expect(rest.chance).toBe(0.01);
});

describe('protocols', () => {
  async function callsOf(change: Partial<AskPlan>): Promise<Call[]> {
    const calls: Call[] = [];
    await run(
      planOf('multi-turn', { samples: 1, ...change }),
      readerSessions(() => true, calls),
    );
    return calls;
  }
  const { turns } = taskOf('multi-turn').sample({ contextTokens: 256, seed: 4, index: 0 });

  test('known has the question in sight, hidden has not, and both ask it', async () => {
    const question = turns[0]!.question;
    expect(await callsOf({ protocol: 'known' })).toEqual([
      { call: 'prefill', knows: question },
      { call: 'ask', question },
    ]);
    expect(await callsOf({ protocol: 'hidden' })).toEqual([
      { call: 'prefill', knows: undefined },
      { call: 'ask', question },
    ]);
  });

  test('turns rewinds before the 2nd to 5th, or leaves question, answer and end in place', async () => {
    const rewound = await callsOf({ protocol: 'turns' });
    expect(rewound.filter(({ call }) => call === 'rewind').length).toBe(4);
    expect(rewound.filter(({ call }) => call === 'ask')).toEqual(
      turns.map(({ question }) => ({ call: 'ask', question })),
    );
    const stays = await callsOf({ protocol: 'turns', answersStay: true });
    expect(stays.some(({ call }) => call === 'rewind')).toBe(false);
    expect(stays.filter(({ call }) => call === 'ask')).toEqual(
      turns.map(({ question }, i) => ({
        call: 'ask',
        question: i === 0 ? question : [turns[i - 1]!.answer.at(-1), END, ...question],
      })),
    );
  });

  test('only the 2nd to 5th question count', async () => {
    const { byTurn, accuracy } = await run(planOf('multi-turn', { protocol: 'turns' }));
    expect(byTurn.map(({ key }) => key)).toEqual([2, 3, 4, 5]);
    expect(accuracy?.total).toBe(4 * 12);
  });

  test('a stream has no question to know', async () => {
    await expect(run(planOf('known-entropy', { protocol: 'known' }))).rejects.toThrow(
      'invalid protocol: known for known-entropy',
    );
  });
});

test('an answer cut short leaves only its end to say', async () => {
  const calls: Call[] = [];
  const reader = readerSessions(() => false, calls);
  await run(planOf('niah-multi-query', { samples: 1 }), reader);
  const asked = calls.flatMap((each) => (each.call === 'ask' ? [each.question] : []));
  expect(asked.length).toBe(4);
  expect(asked[0]?.[0]).toBe(ASK);
  for (const question of asked.slice(1)) expect(question.slice(0, 2)).toEqual([END, ASK]);
});

describe('loss on the known-entropy stream', () => {
  test('is that of the model run in one piece', async () => {
    const plan = planOf('known-entropy', { contextTokens: 40, options: { scoredTokens: 12 } });
    const outcome = runSample(model, fullSession, taskOf(plan.taskId), plan, 0);
    const { context, turns } = taskOf(plan.taskId).sample({ ...plan, index: 0 });
    const text = [...context, ...turns[0]!.question];
    const scored = text.map((_, t) => t).slice(context.length + 1);
    const sum = scored.reduce((total, t) => total + plainLoss(text, t), 0);
    expect(outcome.loss?.tokens).toBe(12);
    expect(outcome.loss?.lossNats).toBeCloseTo(sum, 3);
    const entropy = turns[0]!.surprisalNats!.slice(1).reduce((a, b) => a + b, 0);
    expect(outcome.loss?.entropyNats).toBeCloseTo(entropy, 9);
  });

  /** -log p of the token at a place, by a run over the text before it alone. */
  function plainLoss(text: readonly number[], at: number): number {
    let last: Float32Array = new Float32Array(0);
    const session = fullSession.open({
      ...model,
      forward(step) {
        const result = model.forward(step);
        last = result.logits;
        return result;
      },
    });
    session.prefill(text.slice(0, at));
    const total = last.reduce((sum, value) => sum + Math.exp(value), 0);
    return Math.log(total) - (last[text[at] as number] as number);
  }
});

test('progress counts up, a cancel ends it, and folding does not care about the order', async () => {
  const plan = planOf('latest', { samples: 9 });
  const seen: number[] = [];
  const whole = await evaluate({ model, factory: everything, plan }, ({ samplesDone }) =>
    seen.push(samplesDone),
  );
  expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const controller = new AbortController();
  const cancelled = evaluate(
    { model, factory: everything, plan },
    ({ samplesDone }) => samplesDone === 3 && controller.abort(),
    controller.signal,
  );
  await expect(cancelled).rejects.toThrow(/abort/i);
  const fold = createFold(taskOf(plan.taskId), plan);
  for (const index of [4, 0, 8, 2, 1, 7, 3, 5, 6]) {
    fold.add(runSample(model, everything, taskOf(plan.taskId), plan, index));
  }
  expect(timeless(fold.evaluation())).toEqual(timeless(whole));
  expect(() => fold.add(runSample(model, everything, taskOf(plan.taskId), plan, 3))).toThrow(
    'invalid index: 3 (it came before)',
  );
});

test('wrong numbers and ids are named', async () => {
  await expect(run(planOf('passkey', { samples: 0 }))).rejects.toThrow('invalid samples: 0');
  await expect(run(planOf('passkey', { contextTokens: 3 }))).rejects.toThrow(
    'invalid contextTokens: 3',
  );
  await expect(run(planOf('lunch'))).rejects.toThrow('unknown task: lunch');
  expect(() => policyOf('lunch')).toThrow('unknown policy: lunch (expected full');
});
