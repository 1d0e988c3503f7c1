import type { CacheResult, CacheRun, RunGates } from '../evaluate/cell-result';
import { type CacheLook, lookAtCache, questionAttention } from '../evaluate/look';
import { policyOf } from '../evaluate/policies';
import type { Evaluation } from '../evaluate/types';
import type { CacheBudget } from '../spec/cache-policy';
import type { CacheEntry, CacheParams } from '../spec/kinds/cache';
import { taskOf } from '../tasks/registry';
import { choiceOf, describeEntry, openEntry } from './cache-entry';
import { entryGates } from './entry-gates';
import type { EvaluationPool } from './evaluation-pool';
import type { LoadedModel } from './model-service';
import { throttled } from './simulation-jobs';
import { nextTask } from './sliced';
import type { OnProgress } from './worker-api';

/** Where the evaluating happens, and with which engine. */
export interface CacheJobDeps {
  readonly loaded: LoadedModel;
  /** Workers that hold the model. */
  readonly pool: EvaluationPool;
}

/**
 * Runs every entry of a cache cell on its task, one after another over the pool, and looks at the
 * slots of one sample in this thread. An entry that cannot run says why; the others go on.
 *
 * @throws RangeError for an unknown task or a context it does not fit in, AbortError when cancelled
 */
export async function cacheJob(
  params: CacheParams,
  { loaded, pool }: CacheJobDeps,
  signal: AbortSignal,
  onProgress: OnProgress,
): Promise<CacheResult> {
  const task = taskOf(params.task);
  const { contextTokens, seed, samples, protocol } = params;
  const room = loaded.transformer.config.maxPositions;
  if (contextTokens >= room) {
    throw new RangeError(
      `invalid contextTokens: ${contextTokens} (expected below the model's ${room} positions)`,
    );
  }
  const looked = task.sample({ contextTokens, seed, index: params.look.sample });
  const report = throttled(onProgress);
  const labels = uniqueLabels(params.entries);
  const runs: CacheRun[] = [];
  for (const [at, entry] of params.entries.entries()) {
    signal.throwIfAborted();
    const label = labels[at] as string;
    report({ fraction: at / params.entries.length, phase: label });
    const { source, defaults, isOracle } = describeEntry(entry);
    let evaluation: Evaluation | undefined;
    let look: CacheLook | undefined;
    let problem: string | undefined;
    let gates: RunGates | undefined;
    try {
      gates = await entryGates(
        entry,
        loaded.transformer,
        params,
        looked.context,
        (done) =>
          report({
            fraction: at / params.entries.length,
            phase: `${label}, gates ${Math.round(100 * done)} %`,
          }),
        signal,
      );
      const fitted = gates?.isFitted ? gates.values : undefined;
      evaluation = await pool.run(
        {
          ...choiceOf(entry, fitted),
          plan: { taskId: task.id, contextTokens, seed, samples, protocol, answersStay: false },
        },
        ({ samplesDone }) =>
          report({
            fraction: (at + samplesDone / samples) / params.entries.length,
            phase: `${label}, ${samplesDone} of ${samples}`,
          }),
        signal,
      );
      await nextTask();
      signal.throwIfAborted();
      look = lookAtCache(
        loaded.transformer,
        openEntry(entry, loaded.transformer, fitted),
        looked,
        protocol,
      );
    } catch (error) {
      if (signal.aborted) throw error;
      problem = (error as Error).message;
    }
    runs.push({
      entry,
      label,
      source,
      defaults,
      isOracle,
      evaluation,
      seconds: (evaluation?.prefillSeconds ?? 0) + (evaluation?.askSeconds ?? 0),
      look,
      ...(gates ? { gates } : {}),
      ...(problem === undefined ? {} : { problem }),
    });
  }
  report({ fraction: 1, phase: 'who attends to what' });
  await nextTask();
  signal.throwIfAborted();
  const label = (token: number) => loaded.tokenizer.labelOf(token);
  const turn = looked.turns[0];
  return {
    params,
    modelName: loaded.name,
    engine: loaded.transformer.engine,
    workers: pool.workers,
    taskName: task.name,
    runs,
    labels: looked.context.map(label),
    evidence: turn?.evidence ?? [],
    questionLabels: (turn?.question ?? []).map(label),
    answerLabels: (turn?.answer ?? []).map(label),
    generatedLabels: runs.map(({ look }) => (look?.generated ?? []).map(label)),
    attention: questionAttention(loaded.transformer, looked),
    notes: [],
  };
}

/** Labels that tell the entries apart: `SnapKV 25 %`, and a number where two are alike. */
function uniqueLabels(entries: readonly CacheEntry[]): readonly string[] {
  const seen = new Map<string, number>();
  return entries.map((entry) => {
    const base = labelOf(entry);
    const count = (seen.get(base) ?? 0) + 1;
    seen.set(base, count);
    return count === 1 ? base : `${base} (${count})`;
  });
}

function labelOf(entry: CacheEntry): string {
  if (entry.type === 'composed') return `${entry.label} ${budgetText(entry.policy.budget)}`;
  let name = entry.id;
  let hasShare = entry.id !== 'full';
  try {
    const { label, budgetOf } = policyOf(entry.id);
    name = label;
    hasShare &&= budgetOf !== 'none';
  } catch {
    // An unknown policy keeps its id here and says that it is unknown where it would run.
  }
  const gates = entry.gates ? ', fitted gates' : '';
  const share = hasShare ? ` ${budgetText({ type: 'ratio', share: entry.share })}` : '';
  return `${name}${gates}${share}`;
}

function budgetText(budget: CacheBudget): string {
  if (budget.type === 'tokens') return `${budget.tokens} tokens`;
  if (budget.type === 'bytes') return `${budget.bytes} bytes`;
  return `${Number((budget.share * 100).toPrecision(3))} %`;
}
