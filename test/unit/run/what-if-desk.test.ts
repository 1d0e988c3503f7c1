import { describe, expect, it } from 'vitest';
import { createWhatIfDesk, type WhatIfQuestion } from '../../../lib/run/what-if-desk';
import { NO_CHANGE } from '../../../lib/serving/what-if/factors';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { workloadParams } from '../../../lib/spec/kinds/workload';
import { generated } from '../../../lib/workload/generated';

const load = workloadParams.parse({ source: { type: 'generator', requests: 60 } });
if (load.source.type !== 'generator') throw new Error('expected a generator');
const inputs = {
  params: serveParams.parse({}),
  workload: generated(load, load.source),
  tables: undefined,
};
const question = (rate: number, more: Partial<WhatIfQuestion> = {}): WhatIfQuestion => ({
  subject: 'one',
  inputs: undefined,
  factors: { ...NO_CHANGE, rate },
  isKept: false,
  ...more,
});
const { signal } = new AbortController();

describe('questions under other conditions', () => {
  it('are answered one at a time: the first, what must be, and the newest', async () => {
    const desk = createWhatIfDesk();
    await desk.ask(question(1, { inputs }), signal);
    const answers = await Promise.all([
      desk.ask(question(1, { isKept: true }), signal),
      desk.ask(question(2), signal),
      desk.ask(question(3, { isKept: true }), signal),
      desk.ask(question(4), signal),
      desk.ask(question(5), signal),
    ]);
    const types = answers.map(({ type }) => type);
    expect(types).toEqual(['result', 'superseded', 'result', 'superseded', 'result']);
    const [, , kept, , newest] = answers;
    if (kept?.type !== 'result' || newest?.type !== 'result') throw new Error('expected results');
    expect(newest.result.metrics.makespanSeconds).toBeLessThan(kept.result.metrics.makespanSeconds);
    // The same as asked alone.
    const again = await desk.ask(question(5), signal);
    expect(again.type === 'result' && again.result.metrics).toEqual(newest.result.metrics);
  });

  it('about another run do not give way, and about an unknown one are sent back', async () => {
    const desk = createWhatIfDesk();
    const other = { subject: 'two' };
    expect(await desk.ask(question(1), signal)).toEqual({ type: 'unknown' });
    await desk.ask(question(1, { inputs }), signal);
    await desk.ask(question(1, { ...other, inputs }), signal);
    const both = await Promise.all([
      desk.ask(question(2, { isKept: true }), signal),
      desk.ask(question(2), signal),
      desk.ask(question(2, other), signal),
    ]);
    expect(both.map(({ type }) => type)).toEqual(['result', 'result', 'result']);
    // Four runs are remembered, the newest.
    for (const subject of ['three', 'four', 'five'])
      await desk.ask(question(1, { subject, inputs }), signal);
    expect((await desk.ask(question(2), signal)).type).toBe('unknown');
    expect((await desk.ask(question(2, other), signal)).type).toBe('result');
  });

  it('that fail or are cancelled leave the next ones alone', async () => {
    const desk = createWhatIfDesk();
    await desk.ask(question(1, { inputs }), signal);
    const controller = new AbortController();
    controller.abort();
    const [wrong, cancelled, right] = await Promise.allSettled([
      desk.ask(question(0, { isKept: true }), signal),
      desk.ask(question(2, { isKept: true }), controller.signal),
      desk.ask(question(2), signal),
    ]);
    expect(wrong).toMatchObject({ reason: { message: 'invalid rate: 0 (expected above 0)' } });
    expect(cancelled).toMatchObject({ reason: { name: 'AbortError' } });
    expect(right).toMatchObject({ status: 'fulfilled', value: { type: 'result' } });
  });
});
