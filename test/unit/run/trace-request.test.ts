import { describe, expect, it } from 'vitest';
import { createNodeSimulationApi } from '../../../lib/cli/run/node-session';
import { createLocalClient } from '../../../lib/run/local-client';
import { createSession } from '../../../lib/run/session';
import { NO_CHANGE } from '../../../lib/serving/what-if/factors';
import { notebookSchema } from '../../../lib/spec/notebook';
import { createFakes } from './fakes';

function sessionOf(rate: number) {
  const notebook = (ratePerSecond: number) =>
    notebookSchema.parse({
      cells: [
        {
          id: 'load',
          kind: 'workload',
          params: { source: { type: 'generator', requests: 60, ratePerSecond } },
        },
        { id: 's', kind: 'serve', inputs: ['load'], params: { strategy: { type: 'sarathi' } } },
      ],
    });
  const session = createSession(notebook(rate), {
    ...createFakes(),
    simulation: createLocalClient(createNodeSimulationApi(), 'simulation'),
    appVersion: '1',
    now: () => performance.now(),
    hash: async (text) => text,
  });
  return { session, notebook };
}

describe('questions about the run of a serve cell', () => {
  it('are answered from exactly what its result was computed from', async () => {
    const { session } = sessionOf(8);
    await session.run('s');
    const output = session.statuses().get('s')?.result?.output;
    if (output?.kind !== 'serve') throw new Error('expected a serve result');
    const { requests, metrics } = output.value;
    const trace = await session.traceRequest('s', 42);
    expect(trace.endSeconds).toBe(requests.completedSeconds[42]);
    expect(trace.phases[0]?.startSeconds).toBe(requests.arrivalSeconds[42]);
    expect((await session.whatIf('s', NO_CHANGE)).metrics).toEqual(metrics);
    const faster = await session.whatIf('s', { ...NO_CHANGE, rate: 4 });
    expect(faster.metrics.ttftSeconds.p99).not.toBe(metrics.ttftSeconds.p99);
    await expect(session.traceRequest('s', 60)).rejects.toThrow('invalid request: 60');
    session.dispose();
  });

  it('are refused where the cell has changed since, or is none', async () => {
    const { session, notebook } = sessionOf(8);
    await expect(session.traceRequest('s', 0)).rejects.toThrow('cell "s" has changed since it ran');
    await expect(session.whatIf('load', NO_CHANGE)).rejects.toThrow('"load" is no serve cell');
    await session.run('s');
    session.setNotebook(notebook(9));
    await expect(session.traceRequest('s', 0)).rejects.toThrow('cell "s" has changed since it ran');
    const controller = new AbortController();
    controller.abort();
    await session.run('s');
    await expect(session.traceRequest('s', 0, controller.signal)).rejects.toThrow('cancelled');
    session.dispose();
  });
});
