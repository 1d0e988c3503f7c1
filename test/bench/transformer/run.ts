import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { createFullCache } from '../../../lib/transformer/full-cache';
import { prefill } from '../../../lib/transformer/generate';
import { referenceTransformer } from '../../../lib/transformer/reference';
import type { AttentionCache, Transformer } from '../../../lib/transformer/types';
import { createWasmTransformer } from '../../../lib/wasm/transformer';
import { configOf, randomTokens, randomWeights } from '../../transformer/random-model';
import { benchInBrowser } from './browser';

const ROOT = new URL('../../..', import.meta.url).pathname;
const REPORT = `${ROOT}test-results/bench-transformer.json`;
const BYTES_PER_MIB = 2 ** 20;

interface Cost {
  /** Of this process, all its threads; what else runs on the machine does not move it. */
  readonly processorMilliseconds: number;
  readonly wallMilliseconds: number;
}

/** Median of runs after one that is not counted, by processor time. */
function costOf(runs: number, work: () => void): Cost {
  work();
  const costs = Array.from({ length: runs }, (): Cost => {
    const processor = process.cpuUsage();
    const start = performance.now();
    work();
    const { user, system } = process.cpuUsage(processor);
    return {
      processorMilliseconds: (user + system) / 1000,
      wallMilliseconds: performance.now() - start,
    };
  });
  costs.sort((a, b) => a.processorMilliseconds - b.processorMilliseconds);
  return costs[Math.floor(runs / 2)]!;
}

/** A cache that asks for all attention weights, as policies that score by them do. */
function observing(cache: AttentionCache): AttentionCache {
  return { ...cache, observe: () => {} };
}

interface BenchOptions {
  readonly contextTokens: number;
  readonly decodeTokens: number;
  readonly runs: number;
}

function measure(model: Transformer, { contextTokens, decodeTokens, runs }: BenchOptions) {
  const { config } = model;
  const context = randomTokens(config, contextTokens, 1);
  const next = randomTokens(config, decodeTokens, 2);
  const prefillCost = costOf(runs, () => {
    prefill(model, createFullCache(config), context, 0);
  });
  const observedCost = costOf(runs, () => {
    prefill(model, observing(createFullCache(config)), context, 0);
  });
  const cache = createFullCache(config);
  prefill(model, cache, context, 0);
  const decodeCost = costOf(runs, () => {
    cache.truncate(contextTokens);
    next.forEach((token, i) => {
      model.forward({ tokens: [token], positions: [contextTokens + i], cache });
    });
  });
  const per = (cost: Cost, count: number) => (1000 * count) / cost.processorMilliseconds;
  return {
    engine: model.engine,
    prefill: { ...prefillCost, tokensPerProcessorSecond: per(prefillCost, contextTokens) },
    observedPrefill: observedCost,
    decode: { ...decodeCost, tokensPerProcessorSecond: per(decodeCost, decodeTokens) },
  };
}

/** Growth of the process's memory over many samples, each with a cache of its own. */
function memoryGrowth(model: Transformer, contextTokens: number, samples: number): number {
  const run = (count: number) => {
    for (let sample = 0; sample < count; sample++) {
      const tokens = randomTokens(model.config, contextTokens, sample);
      prefill(model, createFullCache(model.config), tokens, 0);
    }
  };
  run(Math.ceil(samples / 2));
  const before = process.memoryUsage().rss;
  run(samples);
  return (process.memoryUsage().rss - before) / BYTES_PER_MIB;
}

const { values } = parseArgs({
  options: {
    context: { type: 'string', default: '512' },
    decode: { type: 'string', default: '64' },
    runs: { type: 'string', default: '9' },
    samples: { type: 'string', default: '0' },
    'no-browser': { type: 'boolean', default: false },
  },
});

const config = configOf();
const weights = randomWeights(config, 1);
const options: BenchOptions = {
  contextTokens: Number(values.context),
  decodeTokens: Number(values.decode),
  runs: Number(values.runs),
};
const wasm = createWasmTransformer(config, weights);
const inBrowser = values['no-browser'] ? undefined : await benchInBrowser(options);
const report = {
  processor: cpus()[0]?.model,
  config,
  ...options,
  results: [
    measure(referenceTransformer(config, weights), { ...options, runs: Math.min(3, options.runs) }),
    measure(wasm, options),
  ],
  ...(inBrowser ? { inBrowser } : {}),
  ...(Number(values.samples) > 0
    ? {
        memory: {
          samples: Number(values.samples),
          grownMebibytes: memoryGrowth(wasm, options.contextTokens, Number(values.samples)),
        },
      }
    : {}),
};
mkdirSync(`${ROOT}test-results`, { recursive: true });
writeFileSync(REPORT, JSON.stringify(report, null, 2));
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
