import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { workloadParams } from '../../../lib/spec/kinds/workload';
import { burstiness, dispersionIndex } from '../../../lib/workload/burstiness';
import { distribution } from '../../../lib/workload/distribution';
import { prefixSharing } from '../../../lib/workload/prefix-sharing';
import { workloadStatistics } from '../../../lib/workload/statistics';
import { generateSynthetic } from '../../../lib/workload/synthetic/generate';
import { createWorkloadParser } from '../../../lib/workload/trace';
import type { Workload } from '../../../lib/workload/types';

function workloadOf(
  rows: readonly (readonly number[])[],
  prompts: readonly number[],
  tokensPerId: number,
): Workload {
  const offsets = [0];
  for (const row of rows) offsets.push((offsets.at(-1) as number) + row.length);
  return {
    arrivalSeconds: Float64Array.from(rows, (_, i) => i),
    promptTokens: Int32Array.from(prompts),
    outputTokens: Int32Array.from(rows, () => 1),
    content: { tokensPerId, offsets: Int32Array.from(offsets), ids: Int32Array.from(rows.flat()) },
    label: '',
    source: '',
    seed: 0,
    notes: [],
  };
}

/** Longest common prefix with any earlier request, in units of `grain` ids, request by request. */
function bruteForce(
  rows: readonly (readonly number[])[],
  prompts: readonly number[],
  tokensPerId: number,
  grain: number,
) {
  const block = grain * tokensPerId;
  return rows.map((row, i) => {
    const common = rows.slice(0, i).map((other) => {
      let n = 0;
      while (n < row.length && n < other.length && row[n] === other[n]) n++;
      return Math.floor(n / grain);
    });
    const most = Math.max(0, ...common);
    return {
      seen: Math.min(most, Math.floor(prompts[i]! / block)) * block,
      hit: Math.min(most, Math.floor((prompts[i]! - 1) / block)) * block,
    };
  });
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

describe('prefix sharing', () => {
  it('is that of a comparison with every earlier request', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.nat(1), { maxLength: 60 }), { minLength: 1, maxLength: 25 }),
        fc.constantFrom(1, 4),
        fc.nat(9),
        (rows, tokensPerId, more) => {
          const prompts = rows.map(({ length }) => length * tokensPerId + more + 1);
          const found = prefixSharing(workloadOf(rows, prompts, tokensPerId))!;
          const total = sum(prompts);
          const blocks = bruteForce(rows, prompts, tokensPerId, tokensPerId === 1 ? 16 : 1);
          const tokens = bruteForce(rows, prompts, tokensPerId, 1);
          expect(found.seenGrainTokens).toBe(tokensPerId);
          expect(found.unlimitedHitRate).toBeCloseTo(sum(blocks.map(({ hit }) => hit)) / total, 12);
          expect(found.seenShare).toBeCloseTo(sum(tokens.map(({ seen }) => seen)) / total, 12);
          expect(found.requestsWithHits * rows.length).toBeCloseTo(
            blocks.filter(({ hit }) => hit > 0).length,
            9,
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it('computes the last token of a prompt, and counts outputs as seen', () => {
    const row = Array.from({ length: 16 }, (_, i) => i);
    const whole = prefixSharing(workloadOf([row, row], [16, 16], 1))!;
    expect([whole.seenShare, whole.unlimitedHitRate]).toEqual([0.5, 0]);
    // The first request's own output is part of the second's prompt.
    const turns = prefixSharing(workloadOf([row, [...row, 99]], [4, 17], 1))!;
    expect(turns.unlimitedHitRate).toBe(16 / 21);
    expect(turns.distinctBlocks).toBe(1);
  });

  it('is that of the first requests, where there are too many ids', () => {
    const row = Array.from({ length: 16 }, (_, i) => i);
    const workload = workloadOf([row, row, row], [17, 17, 17], 1);
    const first = workloadOf([row, row], [17, 17], 1);
    expect(prefixSharing(workload, 47)).toEqual(prefixSharing(first));
    expect(prefixSharing(workload, 48)!.comparedRequests).toBe(3);
    expect(prefixSharing(workload, 1)!.comparedRequests).toBe(1);
  });

  it('is unknown without content', () => {
    const { content: _, ...plain } = workloadOf([[1]], [1], 1);
    expect(prefixSharing(plain)).toBeUndefined();
  });
});

describe('burstiness', () => {
  it('counts in windows and bins as a plain loop does', () => {
    const times = fc
      .array(fc.double({ min: 0, max: 3, noNaN: true }), { minLength: 12, maxLength: 80 })
      .map((gaps) => {
        let now = 0;
        return Float64Array.from(gaps, (gap, i) => {
          if (i > 0) now += gap;
          return now;
        });
      })
      .filter((each) => (each.at(-1) as number) > 10);
    fc.assert(
      fc.property(times, (arrivals) => {
        const { rates, binSeconds, dispersion, ratePerSecond, gapCv } = burstiness(arrivals);
        const span = arrivals.at(-1) as number;
        expect(sum([...rates]) * binSeconds).toBeCloseTo(arrivals.length, 6);
        expect(ratePerSecond).toBeCloseTo((arrivals.length - 1) / span, 9);
        const gaps = [...arrivals.slice(1)].map((time, i) => time - arrivals[i]!);
        const mean = span / gaps.length;
        const deviation = Math.sqrt(sum(gaps.map((gap) => (gap - mean) ** 2)) / gaps.length);
        expect(gapCv).toBeCloseTo(deviation / mean, 9);
        const seconds = Array.from(
          { length: Math.floor(span) },
          (_, i) => [...arrivals].filter((time) => Math.floor(time) === i).length,
        );
        const average = sum(seconds) / seconds.length;
        const index = sum(seconds.map((each) => (each - average) ** 2)) / seconds.length / average;
        expect(dispersion[0]).toEqual({ windowSeconds: 1, index: expect.closeTo(index, 9) });
      }),
    );
  });

  it('is 1 for a Poisson process at every window, and above for bursts', () => {
    const drawn = (arrivals: object) => {
      const source = { type: 'synthetic', requests: 40_000, ratePerSecond: 5, arrivals };
      const params = workloadParams.parse({ source });
      if (params.source.type !== 'synthetic') throw new Error('unreachable');
      return burstiness(generateSynthetic(params, params.source).arrivalSeconds);
    };
    const poisson = drawn({ process: 'poisson' });
    expect(poisson.dispersion.map(({ windowSeconds }) => windowSeconds)).toEqual([1, 10, 60, 600]);
    for (const { windowSeconds, index } of poisson.dispersion.slice(0, 3))
      expect(Math.abs(index - 1), `${windowSeconds} s`).toBeLessThan(0.3);
    const bursty = drawn({ process: 'gamma', gapCv: 3 });
    expect(Math.abs(bursty.gapCv / 3 - 1)).toBeLessThan(0.06);
    // A renewal process tends to the square of the gaps' variation in long windows.
    expect(bursty.dispersion[2]!.index).toBeGreaterThan(5);
  });

  it('says nothing of what is too short', () => {
    const one = burstiness(Float64Array.of(0));
    expect([one.ratePerSecond, one.gapCv]).toEqual([Number.NaN, Number.NaN]);
    expect([one.rates.length, one.dispersion.length]).toEqual([0, 0]);
    expect(dispersionIndex(Float64Array.of(0, 1, 2, 3), 2, 2)).toBe(0);
  });
});

describe('distribution', () => {
  it('keeps the ends and the order, whatever the number of values', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1e6), { minLength: 1, maxLength: 500 }), (values) => {
        const { ecdf, least, most, p50 } = distribution(values);
        const sorted = values.toSorted((a, b) => a - b);
        expect([least, most, ecdf.at(-1)]).toEqual([sorted[0], sorted.at(-1), sorted.at(-1)]);
        expect(p50).toBeGreaterThanOrEqual(least);
        ecdf.forEach((value, i) => {
          // At least that share of the values is at most this one, and less than it is below.
          const share = (i + 1) / ecdf.length;
          expect(
            sorted.filter((each) => each <= value).length / values.length,
          ).toBeGreaterThanOrEqual(share - 1e-12);
          expect(sorted.filter((each) => each < value).length / values.length).toBeLessThan(share);
        });
      }),
    );
    expect(distribution([]).mean).toBeNaN();
  });
});

const TRACE = new URL(
  '../../../../shared/data/traces/mooncake-conversation.jsonl',
  import.meta.url,
);
describe.skipIf(!existsSync(TRACE))(
  'the Mooncake conversations (SKIPPED where ../shared/data/traces is absent)',
  () => {
    it('are told apart, and share what a plain set of hashes says', () => {
      const text = readFileSync(TRACE, 'utf8');
      const params = workloadParams.parse({ source: { type: 'trace', tickSpread: 'uniform' } });
      if (params.source.type !== 'trace') throw new Error('unreachable');
      const parser = createWorkloadParser(params, params.source);
      parser.push(text);
      const workload = parser.finish();
      expect(workload.source).toContain('JSON lines, Mooncake with hash_ids');
      expect(workload.notes.filter((note) => note.includes('on no tick'))).toEqual([]);
      const { sharing, arrivals } = workloadStatistics(workload);
      const seen = new Set<number>();
      let hits = 0;
      let total = 0;
      for (const line of text.trim().split('\n')) {
        const row = JSON.parse(line) as {
          hash_ids: number[];
          input_length: number;
          output_length: number;
        };
        if (row.input_length + row.output_length > params.maxTokensPerRequest) continue;
        const first = row.hash_ids.findIndex((id) => !seen.has(id));
        const known = first === -1 ? row.hash_ids.length : first;
        hits += 512 * Math.min(known, Math.floor((row.input_length - 1) / 512));
        total += row.input_length;
        for (const id of row.hash_ids) seen.add(id);
      }
      expect(sharing!.unlimitedHitRate).toBeCloseTo(hits / total, 12);
      expect(sharing!.distinctBlocks).toBe(seen.size);
      expect(arrivals.gapCv).toBeLessThan(1.5);
    });
  },
);
