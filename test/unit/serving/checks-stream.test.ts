import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Controller,
  type StreamSetup,
  streamSeconds,
} from '../../../lib/serving/checks/cachegen';
import { gatewaySuccess } from '../../../lib/serving/checks/gateway';
import { meanTtft, streamed, waitForAll } from '../../../lib/serving/checks/stream2llm';

describe('CacheGen: a stream of chunks', () => {
  const setup: StreamSetup = {
    chunks: 4,
    chunkTokens: 100,
    levelBytes: [1000, 500],
    textBytes: 1,
    decodeBytesPerSecond: 1e9,
    prefillSeconds: () => 2,
  };
  const seconds = (controller: Controller, bytesPerSecond: number) =>
    streamSeconds(setup, controller, () => bytesPerSecond).seconds;

  test('takes the bytes over the bandwidth, and the decoding of the last chunk', () => {
    expect(seconds({ type: 'level', level: 0 }, 1e5)).toBeCloseTo(4 + 1e-4, 9);
    expect(seconds({ type: 'text' }, 1e9)).toBeCloseTo(8, 5);
  });

  test('takes the best level that is in time, the text only where nothing else is sooner', () => {
    const levels = (deadlineSeconds: number, bandwidth: number) =>
      streamSeconds(setup, { type: 'adaptive', deadlineSeconds }, () => bandwidth).levels;
    expect(levels(5, 1e5)).toEqual([0, 0, 0, 0]);
    expect(levels(2.5, 1e5)).toEqual([1, 1, 1, 1]);
    expect(levels(9, 1e3)).toEqual([-1, -1, -1, -1]);
  });

  test('a steady bandwidth never makes the adaptive rule late where a level is in time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1000, max: 1_000_000 }), (bandwidth) => {
        const small = seconds({ type: 'level', level: 1 }, bandwidth);
        const adaptive = seconds(
          { type: 'adaptive', deadlineSeconds: small * 1.001 + 0.01 },
          bandwidth,
        );
        expect(adaptive).toBeLessThanOrEqual(small * 1.001 + 0.011);
      }),
    );
  });
});

describe('P/D-Serve', () => {
  test('with current reports and an empty service nobody is late; with old ones more are than by retrying', () => {
    const load = {
      instances: 8,
      ratePerSecond: 0.5,
      gapCv: 1,
      meanServiceSeconds: 0.1,
      deadlineSeconds: 10,
      requests: 500,
    };
    expect(gatewaySuccess(load, { type: 'reports', intervalSeconds: 0.1 }, 1)).toBe(1);
    expect(gatewaySuccess(load, { type: 'reject-retry' }, 1)).toBe(1);
    const busy = { ...load, ratePerSecond: 60, deadlineSeconds: 0.8, gapCv: 2 };
    expect(gatewaySuccess(busy, { type: 'reports', intervalSeconds: 1 }, 1)).toBeLessThan(
      gatewaySuccess(busy, { type: 'reject-retry' }, 1),
    );
  });
});

describe('Stream2LLM', () => {
  const prompts = fc
    .array(
      fc.record({
        gap: fc.double({ min: 0, max: 2, noNaN: true }),
        prefill: fc.double({ min: 0, max: 2, noNaN: true }),
      }),
      { minLength: 1, maxLength: 8 },
    )
    .map((parts) => {
      let at = 0;
      return {
        arrivals: parts.map(({ gap }) => {
          at += gap;
          return at;
        }),
        prefillSeconds: parts.map(({ prefill }) => prefill),
      };
    });

  test('streaming never ends later than waiting, nor before the last part and its work', () => {
    fc.assert(
      fc.property(prompts, (prompt) => {
        const soon = streamed(prompt);
        expect(soon).toBeLessThanOrEqual(waitForAll(prompt) + 1e-9);
        const last = (prompt.arrivals.at(-1) ?? 0) + (prompt.prefillSeconds.at(-1) ?? 0);
        expect(soon).toBeGreaterThanOrEqual(last - 1e-9);
      }),
    );
  });

  test('one prompt on an instance takes its parts as they come', () => {
    const setup = {
      tokensPerSecond: 1000,
      memoryTokens: 1e6,
      chunkTokens: 100,
      swapTokensPerSecond: 1e6,
      swapFixedSeconds: 0,
    };
    const jobs = [
      {
        parts: [
          { at: 5, tokens: 300 },
          { at: 6, tokens: 200 },
        ],
      },
    ];
    for (const order of ['fcfs', 'lcas', 'mcps'] as const)
      expect(meanTtft(jobs, order, 'cheaper', setup)).toBeCloseTo(1.2, 9);
  });

  test('short memory makes a victim pay, by the cheaper of the two ways', () => {
    const setup = {
      tokensPerSecond: 1000,
      memoryTokens: 600,
      chunkTokens: 100,
      swapTokensPerSecond: 1e5,
      swapFixedSeconds: 0,
    };
    const jobs = [0, 0.05, 0.1].map((at) => ({
      parts: [
        { at, tokens: 300 },
        { at: at + 1.5, tokens: 200 },
      ],
    }));
    const [again, swap, cheaper] = (['recompute', 'swap', 'cheaper'] as const).map((recovery) =>
      meanTtft(jobs, 'fcfs', recovery, setup),
    ) as [number, number, number];
    expect(meanTtft(jobs, 'fcfs', 'recompute', { ...setup, memoryTokens: 1e6 })).toBeLessThan(
      again,
    );
    expect(swap).toBeLessThan(again);
    expect(cheaper).toBeCloseTo(swap, 9);
  });
});
