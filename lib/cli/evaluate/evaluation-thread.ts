import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { createEvaluationService } from '../../run/evaluation-service';

if (parentPort === null) throw new Error('this file runs as a thread of the command line');
expose(createEvaluationService(), nodeEndpoint(parentPort));
