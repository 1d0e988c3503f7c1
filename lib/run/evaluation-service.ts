import type { HeadGates } from '../cache/policy/classify';
import { composedSessions, sessionsOf } from '../evaluate/policies';
import type { AskPlan, SampleOutcome } from '../evaluate/types';
import type { CacheBudget, CachePolicy } from '../spec/cache-policy';
import type { Transformer, TransformerConfig, TransformerWeights } from '../transformer/types';
import { engineOf } from './engines';
import {
  createModelDevices,
  type DeviceChoice,
  type ModelDevice,
  type OpenModelDevice,
} from './model-device';
import { runOnDevice } from './samples-on-device';
import type { Cancellable, OnProgress } from './worker-api';

/** A model as a worker is told of it. */
export interface ModelData {
  readonly config: TransformerConfig;
  readonly weights: TransformerWeights;
  /** A name of `ENGINES`. */
  readonly engine: string;
  /** A GPU that the worker opens for it; none unless given. */
  readonly device?: DeviceChoice;
}

/** What a worker computes a model on; plain data. */
export interface DeviceReport
  extends Pick<Partial<ModelDevice>, 'adapter' | 'decodes' | 'decodeMilliseconds'> {
  /** Why there is no device. */
  readonly problem?: string;
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
  /** @throws Error with a sentence where the device `webgpu` cannot be had */
  load(jobId: number, model: ModelData): Promise<DeviceReport | undefined>;
  /** Samples `first` to `end` of a job, in order. */
  run(
    jobId: number,
    job: EvaluationJob,
    first: number,
    end: number,
    onProgress: OnProgress,
  ): Promise<readonly SampleOutcome[]>;
}

export interface EvaluationDeps {
  readonly openModelDevice?: OpenModelDevice;
}

export function createEvaluationService({ openModelDevice }: EvaluationDeps = {}): EvaluationApi {
  const jobs = new Map<number, AbortController>();
  const devices = createModelDevices(openModelDevice);
  let loaded: { readonly model: Transformer; readonly device?: DeviceChoice } | undefined;

  return {
    async load(_jobId, { config, weights, engine, device: choice }) {
      const model = engineOf(engine)(config, weights);
      loaded = { model, ...(choice ? { device: choice } : {}) };
      if (choice === undefined) return undefined;
      const { device, problem } = await devices.of(model, choice);
      if (device === undefined) {
        if (choice === 'webgpu') throw new Error(problem);
        return problem === undefined ? undefined : { problem };
      }
      const { adapter, decodes, decodeMilliseconds } = device;
      return { adapter, decodes, ...(decodeMilliseconds ? { decodeMilliseconds } : {}) };
    },
    async run(jobId, { policyId, budget, plan, composed, gates }, first, end, onProgress) {
      if (loaded === undefined) throw new Error('no model is loaded');
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
        await runOnDevice(
          devices,
          loaded,
          { factory, plan },
          [first, end],
          take,
          controller.signal,
        );
        return outcomes;
      } finally {
        jobs.delete(jobId);
      }
    },
    cancel: (jobId) => jobs.get(jobId)?.abort(),
  };
}
