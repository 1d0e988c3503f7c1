import { describe, expect, it } from 'vitest';
import {
  activityText,
  blockerText,
  preemptionText,
  traceSummary,
} from '../../../lib/serving/trace/sentences';
import { reasonOf, traceSums } from '../../../lib/serving/trace/sums';
import type { RequestTrace, TracePhase } from '../../../lib/serving/trace/types';
import {
  phaseAt,
  phaseText,
  REASONS_HEADER,
  reasonRows,
  stripPieces,
  traceCsv,
} from '../../../lib/views/timeline/trace-strip';

const phase = (
  startSeconds: number,
  endSeconds: number,
  activity: TracePhase['activity'],
): TracePhase => ({ startSeconds, endSeconds, lane: 0, activity });

const trace: RequestTrace = {
  id: 7,
  arrivalSeconds: 1,
  endSeconds: 5,
  end: 'completed',
  promptTokens: 100,
  outputTokens: 3,
  preemptions: [],
  phases: [
    phase(1, 3, {
      kind: 'queued',
      blocker: { type: 'blocks', needed: 40, free: 12, total: 100, holders: 3 },
      behind: 4,
      waiting: 5,
      isAgain: false,
    }),
    phase(3, 3.5, {
      kind: 'prefill',
      tokens: 100,
      context: 0,
      decodes: 2,
      otherPromptTokens: 0,
      isLast: true,
    }),
    phase(3.5, 3.9, { kind: 'stalled', promptTokens: 512, iterations: 2 }),
    phase(3.9, 5, { kind: 'decode', tokens: 2, mixedIterations: 1, batch: 3 }),
  ],
};

describe('the words of a trace', () => {
  it('name what is missing, with its figures, and whom it waits behind', () => {
    expect(activityText((trace.phases[0] as TracePhase).activity)).toBe(
      'waits in the queue behind request 4, because 40 KV blocks are needed and 12 of 100 are free (3 requests hold the rest)',
    );
    expect(blockerText({ type: 'budget', limit: 512, decodeTokens: 12, promptTokens: 500 })).toBe(
      "the iteration's tokens are used up (512): 12 by decodes, 500 by other prompts",
    );
    expect(
      preemptionText({ atSeconds: 1, cause: 'memory', by: 3, tokens: 90, isSwap: false }),
    ).toBe(
      'preempted to free KV blocks for request 3: the KV of 90 tokens is dropped and computed again',
    );
  });

  it('sum by group and by reason, the longest reason first', () => {
    const { groups, reasons } = traceSums(trace);
    expect(groups.waiting).toBeCloseTo(2, 12);
    expect(groups.decode).toBeCloseTo(1.1, 12);
    expect(reasons.map(({ reason }) => reason)).toEqual(['KV blocks short', 'prompts of others']);
    const print = (seconds: number) => `${seconds} s`;
    expect(traceSummary(trace, print)).toBe(
      'request 7 took 4 s; it waited longest for: KV blocks short (2 s, 50 %)',
    );
    expect(traceSummary({ ...trace, end: 'refused', phases: [] }, print)).toContain('refused');
    expect(reasonOf(trace.phases[3] as TracePhase)).toBeUndefined();
  });

  it('place phases on a strip, none lost', () => {
    const pieces = stripPieces(trace, 400);
    expect(pieces.map(({ group }) => group)).toEqual(['waiting', 'prefill', 'stalled', 'decode']);
    expect(pieces.reduce((sum, { width }) => sum + width, 0)).toBeCloseTo(400, 6);
    expect(phaseAt(trace, 0)).toBe(0);
    expect(phaseAt(trace, 3.6)).toBe(2);
    expect(phaseText(trace, 2)).toMatch(/^phase 3 of 4, 400 ms, 2.5 s after arrival: stalls/);
    expect(traceCsv(trace).trim().split('\r\n')).toHaveLength(5);
    const told = reasonRows(trace).trimEnd().split('\r\n');
    expect(told.map((row) => row.replace(/^7,completed,/, ''))).toEqual(
      traceCsv(trace).trim().split('\r\n').slice(1),
    );
    const refused = { ...trace, end: 'refused' as const, phases: [], refusal: 'needs "9" blocks' };
    expect(reasonRows(refused)).toMatch(
      /^7,refused,[\d.]+,0,-1,,refused,"needs ""9"" blocks"\r\n$/,
    );
    expect(REASONS_HEADER.split(',')).toHaveLength(8);
  });

  it('merge what is below a pixel with its neighbours of the same group', () => {
    const many: RequestTrace = {
      ...trace,
      phases: Array.from({ length: 1000 }, (_, i) =>
        phase(1 + i * 0.004, 1 + (i + 1) * 0.004, {
          kind: 'prefill',
          tokens: 1,
          context: i,
          decodes: 0,
          otherPromptTokens: 0,
          isLast: false,
        }),
      ),
    };
    const pieces = stripPieces(many, 100);
    expect(pieces.length).toBeLessThanOrEqual(200);
    expect(pieces.reduce((sum, piece) => sum + piece.phases, 0)).toBe(1000);
  });
});
