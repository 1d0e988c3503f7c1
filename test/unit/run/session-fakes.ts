import type { Session } from '../../../lib/run/session-types';
import { type createFakeSession, makeNotebook, settle } from './fakes';

export const NOTEBOOK = makeNotebook([
  { id: 'intro', kind: 'text' },
  { id: 'load', kind: 'workload' },
  { id: 'serve', kind: 'serve', inputs: ['load'] },
  { id: 'attn', kind: 'attention' },
  { id: 'lanes', kind: 'timeline', inputs: ['serve'] },
  { id: 'map', kind: 'map', inputs: ['attn'] },
  { id: 'all', kind: 'table', inputs: ['serve', 'attn', 'load'] },
]);

export const heavy = {
  source: {
    ...(NOTEBOOK.cells[1]!.params as never as { source: object }).source,
    requests: 2_000_000,
  },
};

export function stateOf(session: Session, id: string) {
  return session.statuses().get(id)!.state;
}

/** Answers calls in order until the workers have nothing to do. */
export async function drain(fakes: ReturnType<typeof createFakeSession>): Promise<void> {
  for (;;) {
    await settle();
    const calls = [...fakes.kernel.pending(), ...fakes.simulation.pending()];
    if (calls.length === 0) return;
    for (const call of calls) call.reply();
  }
}
