import { APP_VERSION } from '../../run/app-version';
import { createEvaluationPool } from '../../run/evaluation-pool';
import { createEvaluationService } from '../../run/evaluation-service';
import { createLocalClient } from '../../run/local-client';
import { createModelApi } from '../../run/model-api';
import { createSession } from '../../run/session';
import type { Session } from '../../run/session-types';
import { serveJob, workloadJob } from '../../run/simulation-jobs';
import { sha256Hex } from '../../run/spec-hash';
import type { SimulationApi } from '../../run/worker-api';
import type { Notebook } from '../../spec/notebook';
import { createKernels } from './kernels';
import { readRecallFile } from './recall-file';
import { readSiblingFile } from './sibling-file';

function createSimulationApi(): SimulationApi {
  const { signal } = new AbortController();
  return {
    workload: (_jobId, params, file, onProgress) => workloadJob(params, file, signal, onProgress),
    serve: (_jobId, params, workload, tables, onProgress) =>
      serveJob(params, workload, tables, signal, onProgress),
    cancel: () => undefined,
  };
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
    simulation: createLocalClient(createSimulationApi(), 'simulation'),
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
