import type { HeadGates } from '../cache/policy/classify';
import { runSamples } from '../evaluate/evaluate';
import { composedSessions, sessionsOf } from '../evaluate/policies';
import type { AskPlan, SampleOutcome } from '../evaluate/types';
import type { CacheBudget, CachePolicy } from '../spec/cache-policy';
import type { Transformer, TransformerConfig, TransformerWeights } from '../transformer/types';
import { engineOf } from './engines';
import type { Cancellable, OnProgress } from './worker-api';

/** A model as a worker is told of it. */
export interface ModelData {
  readonly config: TransformerConfig;
  readonly weights: TransformerWeights;
  /** A name of `ENGINES`. */
  readonly engine: string;
}

/** What is evaluated: plain data. */
export interface EvaluationJob {
  /** A policy part by part, with its own budget, instead of one by its id. */
  readonly composed?: CachePolicy;
  readonly policyId: string;
  readonly budget: CacheBudget;
  /** Gates of heads in place of those that the policy would find, [layers][kvHeads]. */
  readonly gates?: HeadGates;
  readonly plan: AskPlan;
}

/** Evaluation: as many workers as the pool wants, each with its own copy of the model. */
export interface EvaluationApi extends Cancellable {
  load(jobId: number, model: ModelData): Promise<void>;
  /** Samples `first` to `end` of a job, in order. */
  run(
    jobId: number,
    job: EvaluationJob,
    first: number,
    end: number,
    onProgress: OnProgress,
  ): Promise<readonly SampleOutcome[]>;
}

export function createEvaluationService(): EvaluationApi {
  const jobs = new Map<number, AbortController>();
  let model: Transformer | undefined;
  return {
    async load(_jobId, { config, weights, engine }) {
      model = engineOf(engine)(config, weights);
    },
    async run(jobId, { policyId, budget, plan, composed, gates }, first, end, onProgress) {
      if (model === undefined) throw new Error('no model is loaded');
      const controller = new AbortController();
      jobs.set(jobId, controller);
      try {
        const outcomes: SampleOutcome[] = [];
        const take = (outcome: SampleOutcome) => {
          outcomes.push(outcome);
          onProgress({ fraction: outcomes.length / (end - first), phase: 'answering' });
        };
        const factory = composed
          ? composedSessions(composed)
          : sessionsOf(policyId, budget, gates ? { gates } : {});
        await runSamples({ model, factory, plan }, first, end, take, controller.signal);
        return outcomes;
      } finally {
        jobs.delete(jobId);
      }
    },
    cancel: (jobId) => jobs.get(jobId)?.abort(),
  };
}
