import { readFileSync } from 'node:fs';
import { createFetchClient, type FetchWorker } from '../../../lib/transformer/load/fetch-client';

const SCRIPT = new URL('../../../public/model-fetch.js', import.meta.url);

type Listener = (event: { readonly data: unknown }) => void;

/** The page's worker script in this process: its global scope is two functions. */
function startScript(): FetchWorker {
  const inside: Listener[] = [];
  const outside: Listener[] = [];
  // Messages arrive later, as between threads.
  const send = (to: readonly Listener[]) => (data: unknown) =>
    queueMicrotask(() => {
      for (const listener of to) listener({ data });
    });
  const run = new Function('addEventListener', 'postMessage', readFileSync(SCRIPT, 'utf8'));
  run((_type: string, listener: Listener) => inside.push(listener), send(outside));
  return {
    postMessage: send(inside),
    addEventListener: (type: string, listener: unknown) => {
      if (type === 'message') outside.push(listener as Listener);
    },
  } as FetchWorker;
}

export const fetchClient = createFetchClient(startScript);
