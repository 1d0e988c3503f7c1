import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LIVE_DEBOUNCE_MILLISECONDS } from '../../../lib/run/live-reruns';
import type { CellStatus } from '../../../lib/run/session-types';
import type { Notebook } from '../../../lib/spec/notebook';
import type { Workload } from '../../../lib/workload/types';
import {
  createFakeSession,
  fakeServe,
  fakeWorkload,
  makeNotebook,
  type PendingCall,
  settle,
  withParams,
} from './fakes';

const START = makeNotebook([
  { id: 'load-a', kind: 'workload' },
  {
    id: 'load-b',
    kind: 'workload',
    params: { source: { type: 'generator', requests: 2_000_000 } },
  },
  { id: 'serve-a', kind: 'serve', inputs: ['load-a'] },
  { id: 'serve-b', kind: 'serve', inputs: ['load-b'] },
  { id: 'serve-c', kind: 'serve', inputs: ['load-b'], params: { tensorParallel: 2 } },
  { id: 'attn-a', kind: 'attention' },
  { id: 'attn-b', kind: 'attention', params: { seed: 2 } },
  { id: 'lanes', kind: 'timeline', inputs: ['serve-a', 'serve-b'] },
  { id: 'table', kind: 'table', inputs: ['serve-c', 'attn-a', 'load-a'] },
  { id: 'note', kind: 'text' },
]);
const JOBS = START.cells.filter((cell) => cell.id.includes('-')).map((cell) => cell.id);
const ALL = START.cells.map((cell) => cell.id);

const worker = fc.constantFrom<'kernel' | 'simulation'>('kernel', 'simulation');
// The pair with a heavy input is where order matters most, so it comes up most often.
const jobId = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(...JOBS) },
  { weight: 1, arbitrary: fc.constantFrom('load-b', 'serve-b', 'attn-a') },
);
const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('edit' as const), id: jobId, value: fc.nat(2) }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('reply' as const), worker }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('run' as const), id: jobId }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('run' as const), id: fc.constantFrom(...ALL) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), worker }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('cancel' as const), id: fc.constantFrom(...ALL) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancelAll' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('runAll' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('remove' as const),
      id: fc.constantFrom('attn-b', 'serve-c'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('undo' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('abortsWait' as const),
      worker,
      value: fc.boolean(),
    }),
  },
);
type Command = typeof command extends fc.Arbitrary<infer C> ? C : never;

function edited(notebook: Notebook, id: string, value: number): Notebook {
  const kind = notebook.cells.find((cell) => cell.id === id)?.kind;
  return withParams(
    notebook,
    id,
    kind === 'serve' ? { tensorParallel: 2 ** value } : { seed: value },
  );
}

/** What the cell's result must have been made from, as the fakes write it. */
function expectedSignature(notebook: Notebook, id: string): string | undefined {
  const cell = notebook.cells.find((candidate) => candidate.id === id);
  if (cell === undefined) return undefined;
  if (cell.kind === 'workload') return fakeWorkload(cell.params).label;
  if (cell.kind === 'attention') return JSON.stringify(cell.params);
  const input = notebook.cells.find((candidate) => candidate.id === cell.inputs[0]);
  if (cell.kind !== 'serve' || input?.kind !== 'workload') return undefined;
  return fakeServe(cell.params, fakeWorkload(input.params)).notes[0];
}

function signature({ result }: CellStatus): string | undefined {
  if (result === undefined) return undefined;
  switch (result.output.kind) {
    case 'workload':
      return result.output.value.label;
    case 'serve':
      return result.output.value.notes[0];
    case 'sweep':
    case 'plan':
      return undefined;
    default:
      return JSON.stringify(result.output.value.params);
  }
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

async function follow(commands: readonly Command[], isWarm: boolean) {
  const fakes = createFakeSession(START);
  const { session } = fakes;
  const history: Notebook[] = [];
  const runs: Promise<void>[] = [];
  const seen = { kernel: 0, simulation: 0 };
  let hasUserActed = false;

  const edit = (next: Notebook) => {
    history.push(session.notebook);
    session.setNotebook(next);
  };

  function checkCalls(): void {
    for (const name of ['kernel', 'simulation'] as const) {
      const client = fakes[name];
      expect(client.pending().length, 'one job at a time per worker').toBeLessThanOrEqual(1);
      for (const call of client.calls.slice(seen[name])) {
        if (call.method === 'serve') {
          const label = (call.args[2] as Workload).label;
          const labels = session.notebook.cells.flatMap((cell) =>
            cell.kind === 'workload' ? [fakeWorkload(cell.params).label] : [],
          );
          expect(labels, 'a simulation starts from the newest workload').toContain(label);
        }
      }
      seen[name] = client.calls.length;
    }
  }

  function checkStatuses(): void {
    const statuses = session.statuses();
    expect([...statuses.keys()].sort()).toEqual(session.notebook.cells.map(({ id }) => id).sort());
    for (const cell of session.notebook.cells) {
      const status = statuses.get(cell.id)!;
      if (JOBS.includes(cell.id)) {
        if (status.result !== undefined && !status.isResultStale)
          expect(signature(status), `${cell.id} is fresh`).toBe(
            expectedSignature(session.notebook, cell.id),
          );
        if (status.state === 'done') {
          expect(status.result, `${cell.id} is done`).toBeDefined();
          expect(status.isResultStale).toBe(false);
        }
        if (status.state === 'failed') expect(status.message).toMatch(/restarted/);
        if (!hasUserActed) expect(status.state).toBe('idle');
      } else if (cell.kind === 'text') expect(status.state).toBe('done');
      else {
        const inputs = cell.inputs.flatMap((id) => statuses.get(id) ?? []);
        const isAllDone = inputs.every(({ state }) => state === 'done');
        if (inputs.length === cell.inputs.length)
          expect(status.state === 'done', `${cell.id} is as far as its inputs`).toBe(isAllDone);
        expect(status.isResultStale).toBe(inputs.some(({ isResultStale }) => isResultStale));
      }
    }
    const running = [...statuses].filter(
      ([id, { state }]) => JOBS.includes(id) && state === 'running',
    );
    expect(running.length).toBeLessThanOrEqual(2);
  }

  const pending = (name: 'kernel' | 'simulation'): readonly PendingCall[] => fakes[name].pending();

  async function drain(): Promise<void> {
    for (let round = 0; round < 200; round++) {
      vi.advanceTimersByTime(LIVE_DEBOUNCE_MILLISECONDS);
      await settle();
      const calls = [...pending('kernel'), ...pending('simulation')];
      if (calls.length === 0) return;
      for (const call of calls) call.reply();
      await settle();
      checkStatuses();
    }
    throw new Error('the queues do not drain');
  }

  if (isWarm) {
    hasUserActed = true;
    runs.push(session.runAll());
    await drain();
    checkCalls();
  }
  for (const step of commands) {
    const before = session.statuses();
    switch (step.do) {
      case 'edit':
        hasUserActed = true;
        edit(edited(session.notebook, step.id, step.value));
        break;
      case 'undo': {
        const last = history.pop();
        if (last !== undefined) session.setNotebook(last);
        break;
      }
      case 'remove':
        edit({
          ...session.notebook,
          cells: session.notebook.cells.filter((cell) => cell.id !== step.id),
        });
        break;
      case 'run':
        hasUserActed = true;
        runs.push(session.run(step.id));
        break;
      case 'runAll':
        hasUserActed = true;
        runs.push(session.runAll());
        break;
      case 'cancel':
      case 'cancelAll': {
        const ids = step.do === 'cancel' ? [step.id] : ALL;
        if (step.do === 'cancel') session.cancel(step.id);
        else session.cancelAll();
        for (const id of ids) {
          const was = before.get(id)?.state;
          const now = session.statuses().get(id)?.state;
          expect(now, `cancel of ${id}, ${was} before`).not.toBe('running');
          expect(now).not.toBe('queued');
          if (JOBS.includes(id) && (was === 'running' || was === 'queued'))
            expect(now).toBe('cancelled');
        }
        break;
      }
      case 'reply':
        pending(step.worker)[0]?.reply();
        break;
      case 'crash':
        pending(step.worker)[0]?.fail(
          new Error(`the ${step.worker} worker stopped (lost) and was restarted`),
        );
        break;
      case 'wait':
        vi.advanceTimersByTime(LIVE_DEBOUNCE_MILLISECONDS);
        break;
      case 'abortsWait':
        fakes[step.worker].onAbort = step.value ? 'wait' : 'reject';
        break;
    }
    checkStatuses();
    await settle();
    checkCalls();
    checkStatuses();
    if (step.do === 'cancelAll')
      for (const id of JOBS)
        expect(['queued', 'running']).not.toContain(session.statuses().get(id)?.state);
  }

  // Whatever happened, the queues drain, every run ends, and one more run brings everything to done.
  hasUserActed = true;
  await drain();
  runs.push(session.runAll());
  await drain();
  await Promise.all(runs);
  for (const [id, status] of session.statuses())
    if (id !== 'table') expect(status.state, id).toBe('done');
  session.dispose();
}

test('random edits, runs, cancels, late replies and crashes keep the laws of the session', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 40 }), fc.boolean(), follow),
    {
      numRuns: 300,
    },
  );
}, 60_000);
