import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Session } from '../../../lib/run/session-types';
import { warmUp } from '../../../lib/run/warm-up';
import { sweptStrategies, warmWhileAtRest } from '../../../lib/run/warm-when-at-rest';
import type { SimulationApi } from '../../../lib/run/worker-api';
import type { RemoteApi, WorkerClient } from '../../../lib/run/worker-client';
import { type ServeParams, serveParams } from '../../../lib/spec/kinds/serve';
import { makeNotebook } from './fakes';

const CELLS = [
  { id: 'load', kind: 'workload' },
  { id: 'a', kind: 'serve', inputs: ['load'], params: { strategy: { type: 'vllm-v1' } } },
  { id: 'b', kind: 'serve', inputs: ['load'], params: { strategy: { type: 'sarathi' } } },
];
const SWEEP = { id: 'rates', kind: 'sweep', inputs: ['a'] };

describe('workers of sweeps', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('are started once, for what is swept, when the page is at rest', () => {
    let notebook = makeNotebook(CELLS);
    const listeners = new Set<() => void>();
    const session = {
      get notebook() {
        return notebook;
      },
      subscribe(listener: () => void) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    } as unknown as Session;
    const asked: string[][] = [];
    const api = {
      warm: async (strategies: readonly ServeParams[]) =>
        void asked.push(strategies.map(({ strategy }) => strategy.type)),
    };
    const client = {
      call: (run: (api: RemoteApi<SimulationApi>) => Promise<unknown>) =>
        run(api as unknown as RemoteApi<SimulationApi>),
    } as unknown as WorkerClient<SimulationApi>;
    const publish = () => {
      for (const listener of listeners) listener();
    };
    warmWhileAtRest(session, client);
    vi.advanceTimersByTime(1000);
    expect(asked).toEqual([]);
    notebook = makeNotebook([...CELLS, SWEEP]);
    publish();
    vi.advanceTimersByTime(200);
    publish();
    vi.advanceTimersByTime(200);
    expect(asked).toEqual([]);
    vi.advanceTimersByTime(200);
    expect(asked).toEqual([['vllm-v1']]);
    publish();
    vi.advanceTimersByTime(1000);
    expect(asked).toHaveLength(1);
  });

  it('are told each strategy once', () => {
    const notebook = makeNotebook([
      ...CELLS,
      SWEEP,
      { ...SWEEP, id: 'again' },
      { ...SWEEP, id: 'plan', kind: 'plan', inputs: ['b'] },
    ]);
    expect(sweptStrategies(notebook).map(({ strategy }) => strategy.type)).toEqual([
      'vllm-v1',
      'sarathi',
    ]);
  });

  it('leave what cannot be run to the cell that runs it', () => {
    // A model that does not fit in one accelerator.
    const params = serveParams.parse({ model: 'llama-3.1-70b', hardware: 'a100-80g' });
    expect(() => warmUp([params])).not.toThrow();
  });
});
