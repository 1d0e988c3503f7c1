import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buffersOf } from '../../../lib/run/simulation-jobs';
import { workloadParams } from '../../../lib/spec/kinds/workload';
import { workloadStatistics } from '../../../lib/workload/statistics';
import { generateSynthetic } from '../../../lib/workload/synthetic/generate';
import type { Workload } from '../../../lib/workload/types';
import { syntheticSource } from '../spec/arbitrary-workload';

function draw(source: object, more: object = {}): Workload {
  const params = workloadParams.parse({ source: { type: 'synthetic', ...source }, ...more });
  if (params.source.type !== 'synthetic') throw new Error('unreachable');
  return generateSynthetic(params, params.source);
}

/** Of all columns; comparing long ones entry by entry is slow. */
function hash(workload: Workload): string {
  const digest = createHash('sha256');
  for (const buffer of buffersOf(workload)) digest.update(new Uint8Array(buffer));
  return digest.digest('hex');
}

const near = (actual: number, expected: number, tolerance = 0.05) =>
  expect(Math.abs(actual / expected - 1), `${actual} for ${expected}`).toBeLessThan(tolerance);

describe('lengths', () => {
  it('have the median and P90, or the mean, that are asked for', () => {
    const byP90 = workloadStatistics(draw({ requests: 40_000, lengths: { model: 'log-normal' } }));
    near(byP90.promptTokens.p50, 1730);
    near(byP90.promptTokens.p90, 5696);
    near(byP90.outputTokens.p50, 415);
    near(byP90.outputTokens.p90, 834);
    const lengths = { model: 'log-normal-mean', promptMean: 900, promptSigma: 0.7 };
    near(workloadStatistics(draw({ requests: 40_000, lengths })).promptTokens.mean, 900);
  });

  it('come of kinds in proportion to their shares, with their priorities', () => {
    const kind = (share: number, tokens: number, priority: number) => ({
      share,
      promptMedian: tokens,
      promptP90: tokens,
      outputMedian: tokens,
      outputP90: tokens,
      priority,
    });
    const kinds = [kind(3, 10, 2), kind(1, 20, 0)];
    const workload = draw({ requests: 20_000, lengths: { model: 'mix', kinds } });
    const tens = workload.promptTokens.filter((tokens) => tokens === 10).length;
    near(tens / 20_000, 0.75);
    workload.promptTokens.forEach((tokens, i) => {
      expect(workload.priority?.[i]).toBe(tokens === 10 ? 2 : 0);
    });
  });

  it('refuse figures that fit nothing', () => {
    expect(() => draw({ lengths: { model: 'log-normal', promptP90: 5 } })).toThrow(
      'invalid promptP90: 5 (expected the median 1730 or above)',
    );
    expect(() => draw({ lengths: { model: 'mix', kinds: [{ share: 0 }] } })).toThrow(
      'invalid kinds: shares sum to 0 (expected above 0)',
    );
    expect(() => draw({ lengths: { model: 'fixed' } }, { maxTokensPerRequest: 100 })).toThrow(
      'invalid maxTokensPerRequest: 100 (the generator draws 0 + 512 + 64 tokens)',
    );
    expect(() => draw({ sharing: { type: 'chunks', chunkTokens: 8 } })).toThrow(
      'invalid tokensPerId: 16 (expected at most the 8 tokens of a chunk)',
    );
  });
});

describe('sharing', () => {
  const fixed = { model: 'fixed', promptTokens: 160, outputTokens: 16 };

  it('of one prefix by a share of the requests gives the hits that follow', () => {
    const sharing = { type: 'groups', groups: 1, prefixTokens: 320, sharedShare: 0.5 };
    const { sharing: found, promptTokens } = workloadStatistics(
      draw({ requests: 4000, lengths: fixed, sharing }),
    );
    const withPrefix = (promptTokens.mean - 160) / 320;
    near(withPrefix, 0.5);
    near(found!.unlimitedHitRate, (withPrefix * 320) / promptTokens.mean, 0.01);
    near(found!.requestsWithHits, withPrefix, 0.01);
  });

  it('grows with the skew of the popularity', () => {
    const rates = [0, 1, 2].map((popularitySkew) => {
      const sharing = { type: 'groups', groups: 2000, prefixTokens: 320, popularitySkew };
      return workloadStatistics(draw({ requests: 2000, lengths: fixed, sharing })).sharing!
        .unlimitedHitRate;
    });
    expect(rates[1]).toBeGreaterThan(rates[0]! * 1.1);
    expect(rates[2]).toBeGreaterThan(rates[1]! * 1.1);
  });

  it('of chunks is of prefixes only: the same chunks in the same order', () => {
    const sharing = { type: 'chunks', documents: 2, chunkTokens: 100, chunksPerProgram: 2 };
    const { content, promptTokens } = draw({
      requests: 500,
      lengths: fixed,
      sharing: { ...sharing, systemTokens: 32, popularitySkew: 0 },
    });
    expect(new Set(promptTokens)).toEqual(new Set([392]));
    // 232 tokens: 14 whole blocks, the first 2 of the system prompt.
    const starts = Array.from({ length: 500 }, (_, i) =>
      content!.ids.slice(content!.offsets[i]!, content!.offsets[i]! + 14).join(),
    );
    expect(new Set(starts).size).toBe(2);
    expect(new Set(starts.map((each) => each.split(',').slice(0, 2).join())).size).toBe(1);
    const beyond = Array.from({ length: 500 }, (_, i) => content!.ids[content!.offsets[i]! + 14]);
    expect(new Set(beyond).size).toBe(500);
  });
});

describe('programs', () => {
  const big = { maxTokensPerRequest: 2_000_000 };
  const small = { model: 'fixed', promptTokens: 40, outputTokens: 24 };

  it('of a chat carry all that was said, and have the turns and pauses that are asked for', () => {
    const gap = { shape: 'exponential', meanSeconds: 7 };
    const chat = { type: 'chat', turnsMean: 4, mostTurns: 1000, gap };
    const workload = draw({ requests: 30_000, lengths: small, program: chat }, big);
    const { programs } = workloadStatistics(workload);
    near(programs!.requestsPerProgram.mean, 4);
    near(programs!.gapSeconds.mean, 7);
    const { offsets, predecessors } = workload.programs!;
    workload.promptTokens.forEach((prompt, i) => {
      const before = predecessors[offsets[i]!];
      const isFirst = offsets[i] === offsets[i + 1];
      expect(prompt).toBe(isFirst ? 40 : workload.promptTokens[before!]! + 64);
    });
  });

  it('of an agent have tools of the mixture, and end where the context does', () => {
    const program = { type: 'agent', turnsMean: 11, turnsDeviation: 3 };
    const workload = draw({ requests: 20_000, lengths: small, program }, big);
    const { programs } = workloadStatistics(workload);
    near(programs!.depth.mean, 11);
    near(programs!.gapSeconds.mean, 0.95 * 0.5 + 0.05 * 20, 0.1);
    const cut = draw({ requests: 2000, lengths: small, program }, { maxTokensPerRequest: 3000 });
    expect(Math.max(...cut.promptTokens)).toBeLessThan(3000);
    expect(cut.notes[0]).toMatch(/programs end early: their next request is above/);
  });

  it('that fork join again', () => {
    const program = { type: 'fork-join', branches: 3, plansFirst: true, joinTokens: 10 };
    const { programs, promptTokens } = draw({ requests: 10, lengths: small, program });
    const steps = Array.from(promptTokens, (prompt, i) => ({
      prompt,
      before: programs!.offsets[i + 1]! - programs!.offsets[i]!,
    })).filter((_, i) => programs!.programIds[i] === 0);
    expect(steps).toEqual([
      { prompt: 40, before: 0 },
      { prompt: 64, before: 1 },
      { prompt: 64, before: 1 },
      { prompt: 64, before: 1 },
      { prompt: 64 + 3 * 24 + 10, before: 3 },
    ]);
  });

  it('are as asked for whatever the source: counts, order, content, determinism', () => {
    fc.assert(
      fc.property(syntheticSource, fc.nat(99), (source, seed) => {
        const requests = 60;
        const more = { seed, maxTokensPerRequest: 9000 };
        const positive = JSON.stringify(source).replaceAll('"share":0', '"share":1');
        const parsed = { ...JSON.parse(positive), requests };
        let workload: Workload;
        try {
          workload = draw(parsed, more);
        } catch (error) {
          // A median may be above the default P90.
          expect((error as Error).message).toMatch(/^invalid promptP90: \d+ \(expected the median/);
          return;
        }
        expect(workload.promptTokens.length).toBe(requests);
        const again = draw(parsed, more);
        expect(hash(again)).toBe(hash(workload));
        const { arrivalSeconds, promptTokens, outputTokens, content, programs } = workload;
        expect(arrivalSeconds[0]).toBe(0);
        const seen = new Map<number, number>();
        for (let i = 0; i < requests; i++) {
          expect(arrivalSeconds[i]!).toBeGreaterThanOrEqual(arrivalSeconds[i - 1] ?? 0);
          expect(promptTokens[i]! + outputTokens[i]!).toBeLessThanOrEqual(9000);
          if (content !== undefined) {
            const total = promptTokens[i]! + outputTokens[i]!;
            const ids = content.ids.subarray(content.offsets[i]!, content.offsets[i + 1]!);
            expect(ids.length).toBe(Math.floor(total / content.tokensPerId));
            // An id stands for all before it too: it always follows the same one.
            const strays = ids.filter((id, at) => {
              const parent = at === 0 ? -1 : ids[at - 1]!;
              const isStray = seen.has(id) && seen.get(id) !== parent;
              seen.set(id, parent);
              return isStray;
            });
            expect(strays.length).toBe(0);
          }
          if (programs === undefined) continue;
          for (let at = programs.offsets[i]!; at < programs.offsets[i + 1]!; at++) {
            const before = programs.predecessors[at]!;
            expect(before).toBeLessThan(i);
            expect(programs.programIds[before]).toBe(programs.programIds[i]);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
