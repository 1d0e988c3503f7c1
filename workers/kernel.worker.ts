import { expose } from 'comlink';
import { createKernelService } from '../lib/gpu/kernel-service';
import { fetchRecall } from './fetch-recall';

// The bundler recognises a worker only by this literal form of `new Worker(new URL(...))`.
const spawnLane = () =>
  new Worker(new URL('./lane.worker.ts', import.meta.url), { type: 'module' });

expose(createKernelService({ spawnLane, readRecall: fetchRecall }));
