import { expose } from 'comlink';
import { openModelDevice } from '../lib/gpu/model-device';
import { createEvaluationPool } from '../lib/run/evaluation-pool';
import type { EvaluationApi } from '../lib/run/evaluation-service';
import { createModelApi } from '../lib/run/model-api';
import { createWorkerClient } from '../lib/run/worker-client';
import { fetchRecall } from './fetch-recall';
import { fetchSibling } from './fetch-sibling';
import { fetchRange } from './model-fetch';

/** Most threads of an evaluation: each has its own copy of the model. */
const MOST_WORKERS = 8;

// The bundler recognises a worker only by this literal form of `new Worker(new URL(...))`.
const spawn = () =>
  new Worker(new URL('./evaluation.worker.ts', import.meta.url), { type: 'module' });

expose(
  createModelApi({
    readRecall: fetchRecall,
    readSibling: fetchSibling,
    fetchRange,
    openModelDevice,
    makePool() {
      const workers = Math.max(1, Math.min(MOST_WORKERS, navigator.hardwareConcurrency || 1));
      return createEvaluationPool(
        Array.from({ length: workers }, () =>
          createWorkerClient<EvaluationApi>(spawn, 'evaluation'),
        ),
      );
    },
  }),
);
