import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../lib/random/random';
import { chats } from '../../../lib/serving/checks/fastswitch';
import { density, mixedRequests } from '../../../lib/serving/checks/jitserve';
import {
  type SeatServer,
  type SloJob,
  type SloRequest,
  saturation,
  serveSlo,
} from '../../../lib/serving/checks/slo-server';
import {
  chooseSwitch,
  type ImageRequest,
  runStages,
  type StageCosts,
  type StageRole,
} from '../../../lib/serving/checks/stage-pools';
import { copySeconds, serveSwapping } from '../../../lib/serving/checks/swap-server';

const SERVER: SeatServer = {
  seats: 2,
  iterationSeconds: 0.01,
  iterationSecondsPerSeat: 0,
  promptTokensPerSecond: 1000,
  swapTokensPerSecond: 1e6,
  frameIterations: 1,
};
const request = (over: Partial<SloRequest> = {}): SloRequest => ({
  kind: 'deadline',
  group: 0,
  arrivalSeconds: 0,
  promptTokens: 100,
  outputTokens: 10,
  firstDueSeconds: Infinity,
  dueSeconds: 1,
  ...over,
});

describe('requests with time limits', () => {
  const fcfs = { key: (job: SloJob) => job.request.arrivalSeconds, preempts: false };

  test('a prompt and its tokens take the time that they take', () => {
    // 0.1 s of prompt and ten iterations.
    const at = (dueSeconds: number) =>
      serveSlo([request({ dueSeconds })], SERVER, fcfs, 0, createRandom(1)).metShare;
    expect(at(0.2 + 1e-9)).toBe(1);
    expect(at(0.2 - 1e-9)).toBe(0);
  });

  test('a group counts only as a whole', () => {
    const late = request({ dueSeconds: 0.01 });
    const run = (groups: readonly [number, number]) =>
      serveSlo(
        [request({ group: groups[0] }), { ...late, group: groups[1] }],
        SERVER,
        fcfs,
        0,
        createRandom(1),
      ).metShare;
    expect(run([0, 1])).toBe(0.5);
    expect(run([0, 0])).toBe(0);
  });

  test('saturation is a load that the seats just carry', () => {
    // Two seats: a token takes half of 10 ms of the server.
    expect(saturation([request()], SERVER)).toBeCloseTo(1 / (0.1 + 10 * 0.005), 12);
    const load = mixedRequests(1, 50, 200);
    expect(load.length / 200).toBeGreaterThan(45);
    expect(load.length / 200).toBeLessThan(55);
    const share = load.filter(({ kind }) => kind === 'collective').length / load.length;
    expect(share).toBeGreaterThan(0.28);
    expect(share).toBeLessThan(0.39);
  });

  test('what is nearly done and in time is worth most per second', () => {
    const job = (over: Partial<SloJob>): SloJob => {
      const made: SloJob = {
        request: request({ dueSeconds: 100, outputTokens: 1000 }),
        peers: [],
        done: 0,
        isPrefilled: true,
        isRunning: true,
        isDropped: false,
        predictedLeft: 1000,
        predictedAt: 0,
        firstAtSeconds: 0.1,
        endSeconds: Infinity,
        ...over,
      };
      (made.peers as SloJob[]).push(made);
      return made;
    };
    const begun = job({});
    const nearlyDone = job({ done: 900, predictedLeft: 100 });
    expect(density(nearlyDone, 1, 0.01)).toBeGreaterThan(density(begun, 1, 0.01));
    const late = job({ request: request({ dueSeconds: 1, outputTokens: 1000 }) });
    expect(density(late, 1, 0.01)).toBeLessThan(density(begun, 1, 0.01));
  });
});

describe('swapping', () => {
  const copies = {
    layers: 2,
    bytesPerTokenAndLayer: 100,
    bytesPerSecond: 1e6,
    callSeconds: 1e-3,
    runTokens: 16,
  };
  const server = {
    memoryTokens: 9000,
    iterationSeconds: 0.02,
    iterationSecondsPerSeat: 0.0001,
    promptTokensPerSecond: 5000,
    reorderEvery: 20,
  };

  test('calls and bytes add up', () => {
    expect(copySeconds(32, copies)).toBeCloseTo(2 * 2 * 2 * 1e-3 + (32 * 200) / 1e6, 12);
    expect(copySeconds(32, { ...copies, runTokens: 320 })).toBeCloseTo(4e-3 + 6.4e-3, 12);
  });

  test('every turn has a first token and all others, whatever the policy; copies that stay save moves', () => {
    const load = chats(1, 20, 2);
    const turns = load.flatMap((chat) => chat.turns);
    const outputs = turns.reduce((sum, { outputTokens }) => sum + outputTokens, 0);
    const moved: number[] = [];
    for (const isAsynchronous of [false, true]) {
      for (const keepsCopy of [false, true]) {
        const policy = { copies, isAsynchronous, keepsCopy };
        const run = serveSwapping(load, server, policy, createRandom(2));
        expect(run.ttftSeconds).toHaveLength(turns.length);
        expect(run.gapSeconds).toHaveLength(outputs - turns.length);
        expect(run.ttftSeconds[0]).toBeGreaterThan(0);
        moved.push(run.movedTokens);
      }
    }
    expect(moved[1]).toBeLessThan(moved[0] as number);
    expect(moved[3]).toBeLessThan(moved[2] as number);
  });
});

describe('stages of requests with images', () => {
  const costs: StageCosts = {
    encodeSecondsPerImage: 1,
    tokensPerImage: 100,
    promptTokensPerSecond: 1000,
    iterationSeconds: 0.1,
    iterationSecondsPerSeat: 0,
    seats: 4,
    transferSecondsPerToken: 0,
  };
  const one: ImageRequest = { arrivalSeconds: 0, images: 3, textTokens: 200, outputTokens: 5 };

  test('images of one request are encoded at once', () => {
    // 3 s one after another; the slowest of two encoders takes two.
    expect(runStages([one], ['E', 'P', 'D'], costs).ttftSeconds[0]).toBeCloseTo(3.5, 12);
    expect(runStages([one], ['E', 'E', 'P', 'D'], costs).ttftSeconds[0]).toBeCloseTo(2.5, 12);
    expect(runStages([one], ['EPD'], costs).ttftSeconds[0]).toBeCloseTo(3.5, 12);
    expect(runStages([one], ['EP', 'D'], costs).tpotSeconds[0]).toBeCloseTo(0.1, 12);
  });

  test('every request ends after its first token, with roles that stay or change', () => {
    const load = fc.array(
      fc.record({
        gap: fc.double({ min: 0, max: 2, noNaN: true }),
        images: fc.integer({ min: 0, max: 5 }),
        textTokens: fc.integer({ min: 1, max: 500 }),
        outputTokens: fc.integer({ min: 1, max: 60 }),
      }),
      { minLength: 1, maxLength: 25 },
    );
    const roles: readonly (readonly StageRole[])[] = [
      ['E', 'E', 'P', 'D', 'D'],
      ['EP', 'EP', 'D'],
      ['EPD', 'EPD'],
    ];
    fc.assert(
      fc.property(load, fc.constantFrom(...roles), fc.boolean(), (rows, plan, changes) => {
        let arrivalSeconds = 0;
        const requests = rows.map(({ gap, ...rest }) => {
          arrivalSeconds += gap;
          return { ...rest, arrivalSeconds };
        });
        const control =
          changes && plan.includes('E') ? { everySeconds: 2, switchSeconds: 0.5 } : undefined;
        const run = runStages(requests, plan, costs, control);
        requests.forEach((each, i) => {
          const first = each.arrivalSeconds + (run.ttftSeconds[i] as number);
          expect(first).toBeGreaterThanOrEqual(each.arrivalSeconds);
          expect(run.endSeconds[i]).toBeGreaterThanOrEqual(
            first + (each.outputTokens - 1) * 0.1 - 1e-9,
          );
        });
      }),
      { numRuns: 80 },
    );
  });

  test('the longest queue gets a worker from the shortest that can spare one', () => {
    const workers = { E: 5, P: 2, D: 1 };
    expect(chooseSwitch({ E: 0, P: 1, D: 9 }, workers)).toEqual({ from: 'E', to: 'D' });
    expect(chooseSwitch({ E: 0, P: 1, D: 9 }, { E: 1, P: 2, D: 1 })).toEqual({
      from: 'P',
      to: 'D',
    });
    expect(chooseSwitch({ E: 5, P: 6, D: 9 }, workers)).toBeUndefined();
    expect(chooseSwitch({ E: 0, P: 0, D: 0 }, workers)).toBeUndefined();
    expect(chooseSwitch({ E: 0, P: 0, D: 9 }, { E: 1, P: 1, D: 1 })).toBeUndefined();
  });
});
