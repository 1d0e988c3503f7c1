import { describe, expect, test } from 'vitest';
import { chunkQuestions } from '../../../lib/serving/checks/cache-craft';
import { agentSessions, lateOverEarly } from '../../../lib/serving/checks/continuum';
import { askingUsers } from '../../../lib/serving/checks/lmcache';
import { sessionLoad } from '../../../lib/serving/checks/session-load';

const turn = (ownTokens: number, outputTokens: number, gapSeconds = 0) => ({
  ownTokens,
  outputTokens,
  gapSeconds,
});

describe('sessions as programs', () => {
  const load = sessionLoad(
    [
      { startSeconds: 0, turns: [turn(300, 100), turn(100, 100, 2)] },
      { startSeconds: 0, turns: [turn(300, 100)] },
    ],
    100,
  );
  const idsOf = (i: number) =>
    Array.from(load.content?.ids ?? []).slice(
      load.content?.offsets[i],
      load.content?.offsets[i + 1],
    );

  test('a turn begins with all that was said, and comes after the one before', () => {
    const [first, other, second] = [0, 1, 2];
    expect(Array.from(load.programs?.programIds ?? [])).toEqual([0, 1, 0]);
    expect(load.promptTokens[second]).toBe(500);
    expect(idsOf(second).slice(0, 4)).toEqual(idsOf(first));
    expect(Array.from(load.programs?.predecessors ?? [])).toEqual([first]);
    expect(Array.from(load.programs?.gapSeconds ?? [])).toEqual([0, 0, 2]);
    expect(idsOf(other).some((id) => idsOf(first).includes(id))).toBe(false);
  });

  test('a cut leaves so many tokens, and nothing of the old prefix', () => {
    const sessions = [{ startSeconds: 0, turns: [turn(300, 100), turn(300, 100)] }];
    const cut = sessionLoad(sessions, 100, 500);
    expect(Array.from(cut.promptTokens)).toEqual([300, 500]);
    const ids = Array.from(cut.content?.ids ?? []);
    expect(ids.slice(0, 4).some((id) => ids.slice(4).includes(id))).toBe(false);
  });

  test('lengths that hashes do not divide are refused', () => {
    expect(() => sessionLoad([{ startSeconds: 0, turns: [turn(150, 100)] }], 100)).toThrow(
      'invalid tokens: 150 (expected a multiple of 100)',
    );
  });

  test('agents and users are the same for the same seed', () => {
    const tools = { slowShare: 0.1, quickSeconds: 1, slowSeconds: 9 };
    expect(agentSessions(3, 9, 1, tools)).toEqual(agentSessions(3, 9, 1, tools));
    expect(agentSessions(3, 9, 1, tools)).not.toEqual(agentSessions(4, 9, 1, tools));
    for (const { turns } of askingUsers(1, 12)) {
      expect(turns[0]?.ownTokens).toBeGreaterThanOrEqual(10_240);
      expect(turns[0]?.ownTokens).toBeLessThanOrEqual(20_480);
    }
  });

  test('growth of completion times: the last third over the first', () => {
    const requests = {
      programIds: Int32Array.from([0, 0, 1, 2]),
      arrivalSeconds: Float64Array.from([0, 3, 10, 20]),
      completedSeconds: Float64Array.from([2, 5, 16, 35]),
    };
    expect(lateOverEarly({ requests } as Parameters<typeof lateOverEarly>[0])).toBe(3);
  });
});

test('questions have different chunks, the popular ones more often', () => {
  const { content, promptTokens } = chunkQuestions(1, 400, 50, 1);
  const ids = Array.from(content?.ids ?? []);
  expect(ids).toHaveLength(5 * 400);
  expect(promptTokens[0]).toBe(5 * 512 + 128);
  for (let i = 0; i < 400; i++) expect(new Set(ids.slice(5 * i, 5 * i + 5)).size).toBe(5);
  const count = (id: number) => ids.filter((each) => each === id).length;
  expect(count(0)).toBeGreaterThan(count(10));
  expect(count(10)).toBeGreaterThan(count(49));
});
