import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { turnsOf } from '../../../lib/serving/program-turns';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { indexLane, type LaneIndex } from '../../../lib/views/timeline/lane-index';
import { describeIteration, describePixel, visibleCsv } from '../../../lib/views/timeline/rows';
import { aggregateLink, aggregateShares } from '../../../lib/views/timeline/side-aggregates';
import type { Workload } from '../../../lib/workload/types';
import { workloadOf } from '../serving/arbitrary-composed';
import { programWorkload } from '../serving/arbitrary-programs';

const load = workloadOf(
  Array.from({ length: 30 }, (_, i) => [i * 0.02, 300 + 20 * (i % 9), 20, 0] as const),
);
function run(strategy: object, workload: Workload = load) {
  const params = serveParams.parse({ strategy: { type: 'composed', ...strategy } });
  return simulate(params, workload, makeCostModel(params));
}
const sideLane = (strategy: object, role: 'link' | 'share'): LaneIndex => {
  const lane = run(strategy).lanes.find((each) => each.role === role);
  if (lane === undefined) throw new Error(`no lane of role ${role}`);
  return indexLane(lane);
};
const link = sideLane({ topology: { type: 'pools' } }, 'link');
const share = sideLane(
  { partition: { type: 'static', prefillShare: 0.7, decodeShare: 0.6 } },
  'share',
);
const spans = fc
  .tuple(fc.double({ min: 0, max: 3, noNaN: true }), fc.double({ min: 0.001, max: 3, noNaN: true }))
  .map(([start, length]) => ({ start, end: start + length }));

/** Seconds of a row that lie in a span. */
const within = ({ lane }: LaneIndex, i: number, { start, end }: { start: number; end: number }) => {
  const from = lane.startSeconds[i] as number;
  const to = from + (lane.durationSeconds[i] as number);
  return Math.max(0, Math.min(end, to) - Math.max(start, from));
};

describe('areas of lanes beside the replicas', () => {
  it('a link’s transfers, tokens and busy time are those of its rows', () => {
    fc.assert(
      fc.property(spans, (span) => {
        const { lane, count } = link;
        const rows = [...Array(count).keys()];
        const starting = rows.filter(
          (i) =>
            (lane.startSeconds[i] ?? 0) >= span.start && (lane.startSeconds[i] ?? 0) < span.end,
        );
        const sum = aggregateLink(link, span.start, span.end);
        expect(sum.transfers).toBe(starting.length);
        expect(sum.kvTokens).toBe(
          starting.reduce((n, i) => n + (lane.prefillTokens[i] as number), 0),
        );
        const busy = rows.reduce((n, i) => n + within(link, i, span), 0);
        expect(sum.busyFraction * (span.end - span.start)).toBeCloseTo(busy, 9);
      }),
    );
  });

  it('mean shares are those of the rows, by their time', () => {
    fc.assert(
      fc.property(spans, (span) => {
        const rows = [...Array(share.count).keys()];
        const mean = (column: Int32Array) =>
          rows.reduce((n, i) => n + within(share, i, span) * (column[i] as number), 0) /
          (1000 * (span.end - span.start));
        const sum = aggregateShares(share, span.start, span.end);
        expect(sum.prefillShare).toBeCloseTo(mean(share.lane.prefillTokens), 9);
        expect(sum.decodeShare).toBeCloseTo(mean(share.lane.decodeTokens), 9);
        expect(sum.prefillShare + sum.decodeShare).toBeLessThanOrEqual(1.001);
      }),
    );
  });
});

describe('rows of lanes beside the replicas in words', () => {
  it('name the request of a transfer, and the shares of a period', () => {
    expect(describeIteration({ label: 'link', index: link }, 0)).toMatch(
      /^link, transfer 0, at .*, 300 tokens of KV of request 0$/,
    );
    expect(describeIteration({ label: 'SMs', index: share }, 0)).toMatch(
      /^SMs, period 0, at 0 s?.*, prompts have 70 ?%, decodes 0 ?%$/,
    );
    expect(describePixel({ label: 'link', index: link }, 0, 5)).toContain('transfers here');
    const csv = visibleCsv([{ label: 'link', index: link }], { start: 0, end: 9 });
    expect(csv.split('\r\n')[0]).toMatch(/,role,request$/);
    expect(csv.split('\r\n')[1]).toMatch(/,transfer,0$/);
  });
});

describe('turns of a program', () => {
  it('are in the order in which they were sent, each with its gap', () => {
    const turns = [
      { own: 40, output: 5, gap: 0 },
      { own: 9, output: 5, gap: 0.5 },
      { own: 9, output: 5, gap: 0.25 },
    ];
    const chats = programWorkload([
      { start: 0, system: 0, forks: false, turns },
      { start: 0.1, system: 0, forks: false, turns: turns.slice(0, 1) },
    ]);
    const { requests } = run({}, chats);
    const [first, ...others] = turnsOf(requests, requests.programIds?.indexOf(0) ?? -1);
    expect(first).toMatchObject({ sentSeconds: 0, after: undefined });
    expect(others.map(({ gapSeconds }) => gapSeconds)).toEqual([
      expect.closeTo(0.5, 9),
      expect.closeTo(0.25, 9),
    ]);
    expect(others.map(({ after }) => after)).toEqual([first?.id, others[0]?.id]);
    // A program of one request has nothing to show.
    expect(turnsOf(requests, requests.programIds?.indexOf(1) ?? -1)).toEqual([]);
  });
});

it('encoders speak of images, and so does the link of what they make', () => {
  const images = { ...load, items: load.promptTokens.map((_, i) => (i === 3 ? 1 : 4)) };
  const { lanes } = run({ encode: { type: 'pool', workers: 1, parallel: false } }, images);
  const encoder = lanes.find(({ role }) => role === 'encode');
  const encoded = lanes.find(({ traffic }) => traffic === 'images');
  if (encoder === undefined || encoded === undefined) throw new Error('expected both lanes');
  const labelled = (lane: typeof encoder) => ({ label: lane.label, index: indexLane(lane) });
  expect(describeIteration(labelled(encoder), 0)).toMatch(
    /^encoder 0, batch 0, at 0 s, .*, 4 images of request 0$/,
  );
  expect(describeIteration(labelled(encoder), 3)).toMatch(/, 1 image of request 3$/);
  expect(describeIteration(labelled(encoded), 0)).toMatch(/^encoded images, transfer 0.*4 images/);
  expect(describePixel(labelled(encoder), 0, 1e6)).toContain('30 batches here');
  expect(visibleCsv([labelled(encoder)], { start: 0, end: 1e6 })).toContain(',encode,0');
});
