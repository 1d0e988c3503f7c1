import type { CacheResult, CacheRun, RunGates } from '../evaluate/cell-result';
import { lookAtCache, questionAttention } from '../evaluate/look';
import { policyOf } from '../evaluate/policies';
import type { Evaluation } from '../evaluate/types';
import type { CacheBudget } from '../spec/cache-policy';
import type { CacheEntry, CacheParams } from '../spec/kinds/cache';
import { taskOf } from '../tasks/registry';
import type { TaskSample } from '../tasks/types';
import { choiceOf, describeEntry, openEntry } from './cache-entry';
import { entryGates } from './entry-gates';
import type { EvaluationPool } from './evaluation-pool';
import type { DeviceReport } from './evaluation-service';
import type { LoadedModel } from './model-service';
import { throttled } from './simulation-jobs';
import { nextTask } from './sliced';
import { whereItRan } from './where-it-ran';
import type { OnProgress } from './worker-api';

/** Where the evaluating happens, and with which engine. */
export interface CacheJobDeps {
  readonly loaded: LoadedModel;
  /** Workers that hold the model. */
  readonly pool: EvaluationPool;
  /** What they found to compute it on. */
  readonly device?: DeviceReport | undefined;
}

/**
 * Runs every entry of a cache cell on its task, one after another over the pool, and looks at the
 * slots of one sample in this thread. An entry that cannot run says why; the others go on.
 *
 * @throws RangeError for an unknown task or a context it does not fit in, AbortError when cancelled
 */
export async function cacheJob(
  params: CacheParams,
  { loaded, pool, device }: CacheJobDeps,
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
  report({ fraction: 0, phase: 'who attends to what' });
  const resultOf = resultMaker(params, { loaded, pool, device }, task.name, looked);
  const labels = uniqueLabels(params.entries);
  const runs: CacheRun[] = [];
  for (const [at, entry] of params.entries.entries()) {
    await nextTask();
    signal.throwIfAborted();
    const label = labels[at] as string;
    let gates: RunGates | undefined;
    const runOf = (
      rest: Omit<CacheRun, 'entry' | 'label' | 'seconds' | 'gates' | DescribedKeys>,
    ): CacheRun => ({
      entry,
      label,
      ...describeEntry(entry),
      ...rest,
      ...(gates ? { gates } : {}),
      seconds: (rest.evaluation?.prefillSeconds ?? 0) + (rest.evaluation?.askSeconds ?? 0),
    });
    const tell = (soFar: Evaluation | undefined) => {
      const samplesDone = soFar?.samplesDone ?? 0;
      const current = soFar === undefined ? [] : [runOf({ evaluation: soFar, look: undefined })];
      const known = [...runs, ...current];
      report({
        fraction: (at + samplesDone / samples) / params.entries.length,
        phase: `${label}, ${samplesDone} of ${samples}`,
        ...(known.length === 0 ? {} : { partial: { kind: 'cache', value: resultOf(known) } }),
      });
    };
    tell(undefined);
    let evaluation: Evaluation | undefined;
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
      const plan = { taskId: task.id, contextTokens, seed, samples, protocol, answersStay: false };
      evaluation = await pool.run({ ...choiceOf(entry, fitted), plan }, tell, signal);
      await nextTask();
      signal.throwIfAborted();
      const session = openEntry(entry, loaded.transformer, fitted);
      const look = lookAtCache(loaded.transformer, session, looked, protocol);
      runs.push(runOf({ evaluation, look }));
    } catch (error) {
      if (signal.aborted) throw error;
      runs.push(runOf({ evaluation, look: undefined, problem: (error as Error).message }));
    }
  }
  await nextTask();
  signal.throwIfAborted();
  return resultOf(runs);
}

type DescribedKeys = keyof ReturnType<typeof describeEntry>;

/** Makes results of the runs that are there; what they share is made once. */
function resultMaker(
  params: CacheParams,
  { loaded, pool, device }: CacheJobDeps,
  taskName: string,
  looked: TaskSample,
): (runs: readonly CacheRun[]) => CacheResult {
  const label = (token: number) => loaded.tokenizer.labelOf(token);
  const turn = looked.turns[0];
  const shared = {
    params,
    modelName: loaded.name,
    workers: pool.workers,
    taskName,
    labels: looked.context.map(label),
    evidence: turn?.evidence ?? [],
    questionLabels: (turn?.question ?? []).map(label),
    answerLabels: (turn?.answer ?? []).map(label),
    attention: questionAttention(loaded.transformer, looked),
  };
  return (runs) => ({
    ...shared,
    ...whereItRan(loaded.transformer.engine, device, runs),
    runs,
    generatedLabels: runs.map(({ look }) => (look?.generated ?? []).map(label)),
  });
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
