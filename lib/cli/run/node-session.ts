import { APP_VERSION } from '../../run/app-version';
import { createEvaluationPool } from '../../run/evaluation-pool';
import { createEvaluationService } from '../../run/evaluation-service';
import { createLocalClient } from '../../run/local-client';
import { createModelApi } from '../../run/model-api';
import { createSession } from '../../run/session';
import type { Session } from '../../run/session-types';
import { createSimulationApi } from '../../run/simulation-service';
import { sha256Hex } from '../../run/spec-hash';
import { createSweepPool } from '../../run/sweep-pool';
import { createSweepService } from '../../run/sweep-service';
import type { SimulationApi } from '../../run/worker-api';
import type { Notebook } from '../../spec/notebook';
import { createKernels } from './kernels';
import { readRecallFile } from './recall-file';
import { readSiblingFile } from './sibling-file';

/** Simulations in this thread. */
export function createNodeSimulationApi(): SimulationApi {
  return createSimulationApi({
    makePool: () => createSweepPool([createLocalClient(createSweepService(), 'sweep')]),
  });
}

/** The shipped model, from the repository's own files. */
export function createNodeModelApi() {
  return createModelApi({
    readRecall: readRecallFile,
    readSibling: readSiblingFile,
    makePool: () =>
      createEvaluationPool([createLocalClient(createEvaluationService(), 'evaluation')]),
  });
}

/** A session without a page: simulation in this process, attention in headless Chromium or on the CPU. */
export function createNodeSession(notebook: Notebook): {
  readonly session: Session;
  close(): Promise<void>;
} {
  const kernels = createKernels();
  const session = createSession(notebook, {
    kernel: createLocalClient(kernels.api, 'kernel'),
    model: createLocalClient(createNodeModelApi(), 'model'),
    simulation: createLocalClient(createNodeSimulationApi(), 'simulation'),
    appVersion: APP_VERSION,
    now: () => performance.timeOrigin + performance.now(),
    hash: sha256Hex,
  });
  return {
    session,
    async close() {
      session.dispose();
      await kernels.close();
    },
  };
}
