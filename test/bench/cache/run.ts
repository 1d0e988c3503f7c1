import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { wholeNumber } from '../../../lib/cli/command-line';
import { readModel, SHIPPED_MODEL } from '../../../lib/cli/evaluate/read-model';
import { createThreadPool, MACHINE_THREADS } from '../../../lib/cli/evaluate/thread-pool';
import { evaluate } from '../../../lib/evaluate/evaluate';
import { sessionsOf } from '../../../lib/evaluate/policies';
import type { AskPlan } from '../../../lib/evaluate/types';
import { DEFAULT_ENGINE, engineOf } from '../../../lib/run/engines';
import { taskOf } from '../../../lib/tasks/registry';
import type { Transformer } from '../../../lib/transformer/types';

// Speed of evaluation and decoding, and whether memory stays flat. One JSON document on standard output.
const BAR_SECONDS = 20;
const BAR_TOKENS_PER_SECOND = 30;
const DECODED_TOKENS = 64;
const NO_STOP: ReadonlySet<number> = new Set();

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: SHIPPED_MODEL },
    engine: { type: 'string', default: DEFAULT_ENGINE },
    policy: { type: 'string', multiple: true, default: ['full', 'snapkv'] },
    task: { type: 'string', default: 'niah-multi-key-1' },
    context: { type: 'string', default: '512' },
    samples: { type: 'string', default: '100' },
    memory: { type: 'string', default: '1000' },
    threads: { type: 'string', default: String(MACHINE_THREADS) },
  },
});
const contextTokens = wholeNumber('--context', values.context, 16);
const samples = wholeNumber('--samples', values.samples, 1);
const memorySamples = wholeNumber('--memory', values.memory, 0);
const threads = wholeNumber('--threads', values.threads, 1, 64);
const budget = { type: 'ratio', share: 0.25 } as const;

function planOf(count: number, tokens: number): AskPlan {
  return {
    taskId: values.task,
    contextTokens: tokens,
    seed: 1,
    samples: count,
    protocol: 'hidden',
    answersStay: false,
  };
}

const round = (value: number, digits = 2) => Number(value.toFixed(digits));

function decodeSpeed(model: Transformer, policyId: string) {
  const session = sessionsOf(policyId, budget).open(model);
  const { context, turns } = taskOf(values.task).sample({ contextTokens, seed: 1, index: 0 });
  const startedAt = performance.now();
  session.prefill(context);
  const prefillSeconds = (performance.now() - startedAt) / 1000;
  const question = turns[0]?.question ?? [];
  // One token alone is the question's run; the rest of the time is decoding.
  const first = performance.now();
  session.ask(question, 1, NO_STOP);
  const second = performance.now();
  session.rewind();
  const third = performance.now();
  session.ask(question, 1 + DECODED_TOKENS, NO_STOP);
  const seconds = (performance.now() - third - (second - first)) / 1000;
  return {
    policy: policyId,
    prefillSeconds: round(prefillSeconds, 3),
    tokensPerSecond: round(DECODED_TOKENS / seconds, 1),
    meetsBar: DECODED_TOKENS / seconds >= BAR_TOKENS_PER_SECOND,
  };
}

/** Heap and resident bytes after collections at tenths of a long run in this thread. */
async function memoryOver(model: Transformer, count: number) {
  const at: { samples: number; heapMiB: number; residentMiB: number }[] = [];
  const collect = (globalThis as { gc?: () => void }).gc;
  const every = Math.max(1, Math.floor(count / 10));
  await evaluate(
    {
      model,
      factory: sessionsOf(values.policy.at(-1) as string, budget),
      plan: planOf(count, Math.min(contextTokens, 128)),
    },
    ({ samplesDone }) => {
      if (samplesDone % every !== 0) return;
      collect?.();
      const { heapUsed, external, rss } = process.memoryUsage();
      at.push({
        samples: samplesDone,
        heapMiB: round((heapUsed + external) / 2 ** 20),
        residentMiB: round(rss / 2 ** 20),
      });
    },
  );
  return { contextTokens: Math.min(contextTokens, 128), collected: collect !== undefined, at };
}

const data = await readModel(values.model, values.engine);
const model = engineOf(values.engine)(data.config, data.weights);
const pool = createThreadPool(threads);
await pool.load(data);
const evaluated = [];
for (const policyId of values.policy) {
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  const { accuracy } = await pool.run({ policyId, budget, plan: planOf(samples, contextTokens) });
  const wallSeconds = (performance.now() - startedAt) / 1000;
  // Of all threads: on a busy machine this says what the wall clock cannot.
  const { user, system } = process.cpuUsage(cpuBefore);
  const per100 = (100 * wallSeconds) / samples;
  evaluated.push({
    policy: policyId,
    samples,
    wallSeconds: round(wallSeconds),
    secondsPer100Samples: round(per100),
    processorSecondsPer100Samples: round(((user + system) / 1e6 / samples) * 100),
    meetsBar: per100 <= BAR_SECONDS,
    accuracy: accuracy?.share,
  });
}
pool.dispose();
const decoded = values.policy.map((policyId) => decodeSpeed(model, policyId));
const memory = memorySamples === 0 ? undefined : await memoryOver(model, memorySamples);
console.log(
  JSON.stringify(
    {
      node: process.version,
      processor: cpus()[0]?.model,
      engine: values.engine,
      threads,
      task: values.task,
      contextTokens,
      budget,
      bars: { secondsPer100Samples: BAR_SECONDS, tokensPerSecond: BAR_TOKENS_PER_SECOND },
      evaluated,
      decoded,
      memory,
    },
    null,
    1,
  ),
);
