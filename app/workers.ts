import { APP_VERSION } from '../lib/run/app-version';
import type { CheckApi } from '../lib/run/check-service';
import { createSession } from '../lib/run/session';
import type { Session } from '../lib/run/session-types';
import { sha256Hex } from '../lib/run/spec-hash';
import { warmWhileAtRest } from '../lib/run/warm-when-at-rest';
import type { KernelApi, ModelApi, SimulationApi } from '../lib/run/worker-api';
import { createWorkerClient, type WorkerClient } from '../lib/run/worker-client';
import type { Notebook } from '../lib/spec/notebook';

// The bundler recognises a worker only by this literal form of `new Worker(new URL(...))`.

export function spawnKernelWorker(): Worker {
  return new Worker(new URL('../workers/kernel.worker.ts', import.meta.url), { type: 'module' });
}

export function spawnModelWorker(): Worker {
  return new Worker(new URL('../workers/model.worker.ts', import.meta.url), { type: 'module' });
}

export function spawnSimulationWorker(): Worker {
  return new Worker(new URL('../workers/simulation.worker.ts', import.meta.url), {
    type: 'module',
  });
}

/** Replays measured runs; spawned by its first call. */
export function createCheckClient(): WorkerClient<CheckApi> {
  return createWorkerClient<CheckApi>(
    () => new Worker(new URL('../workers/check.worker.ts', import.meta.url), { type: 'module' }),
    'check',
  );
}

let policyChecks: WorkerClient<ModelApi> | undefined;

/** One model worker for the checks of all policies, beside the cells' own; spawned by its first call. */
export function policyCheckClient(): WorkerClient<ModelApi> {
  policyChecks ??= createWorkerClient<ModelApi>(spawnModelWorker, 'policy check');
  return policyChecks;
}

/** A session over the page's three workers. They are spawned on first use; `dispose()` ends them. */
export function createPageSession(notebook: Notebook): Session {
  const simulation = createWorkerClient<SimulationApi>(spawnSimulationWorker, 'simulation');
  const session = createSession(notebook, {
    kernel: createWorkerClient<KernelApi>(spawnKernelWorker, 'kernel'),
    model: createWorkerClient<ModelApi>(spawnModelWorker, 'model'),
    simulation,
    appVersion: APP_VERSION,
    now: () => performance.timeOrigin + performance.now(),
    hash: sha256Hex,
  });
  warmWhileAtRest(session, simulation);
  return session;
}
