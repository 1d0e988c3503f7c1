import { Z_95 } from '../stats/wilson';
import { TASKS } from '../tasks/registry';
import type { GateId, Task } from '../tasks/task';
import type { Transformer } from '../transformer/types';
import { type HeadProbe, PROBE_DEFAULTS, probeHeads } from './head-probes';
import type { AskPlan, Evaluation } from './types';

interface TaskGate {
  readonly id: GateId;
  readonly name: string;
  readonly taskId: string;
  readonly options?: Readonly<Record<string, unknown>>;
  /** Least share of right answers over the full cache. */
  readonly bar: number;
}

/** Accuracy over the full cache that a model must reach before a task is shown for it. */
export const TASK_GATES: readonly TaskGate[] = [
  { id: 'passkey', name: 'passkey', taskId: 'passkey', bar: 0.95 },
  { id: 'multi-key', name: 'one of several keys', taskId: 'niah-multi-key-1', bar: 0.9 },
  {
    id: 'two-hop',
    name: 'two hops',
    taskId: 'variable-tracking',
    options: { hops: 2, order: 'any' },
    bar: 0.8,
  },
];

/** Least mean induction mass of the best head. */
export const INDUCTION_BAR = 0.5;

export interface GateResult {
  readonly id: GateId;
  readonly name: string;
  readonly bar: number;
  readonly value: number;
  /** Interval of 95 %. */
  readonly low: number;
  readonly high: number;
  /** Answers, or texts for the head. */
  readonly count: number;
  readonly passes: boolean;
}

export interface GateReport {
  readonly gates: readonly GateResult[];
  readonly heads: readonly HeadProbe[];
  /** Largest mean attention of a head to the first token, and the mean over all heads. */
  readonly sinkMass: { readonly largest: number; readonly mean: number };
}

export interface GateOptions {
  readonly contextTokens: number;
  readonly samples: number;
  readonly seed: number;
}

/**
 * Measures the acceptance gates of a model: accuracy over the full cache, and what its heads do.
 *
 * @param measure runs a plan over the full cache, in this thread or a pool
 */
export async function measureGates(
  model: Transformer,
  { contextTokens, samples, seed }: GateOptions,
  measure: (plan: AskPlan) => Promise<Evaluation>,
): Promise<GateReport> {
  const gates: GateResult[] = [];
  for (const { id, name, taskId, options, bar } of TASK_GATES) {
    const { accuracy } = await measure({
      taskId,
      ...(options ? { options } : {}),
      contextTokens,
      seed,
      samples,
      protocol: 'hidden',
      answersStay: false,
    });
    if (accuracy === undefined) throw new Error(`task ${taskId} has no accuracy`);
    const { share, low, high, total } = accuracy;
    gates.push({ id, name, bar, value: share, low, high, count: total, passes: share >= bar });
  }
  const heads = probeHeads(model, { seed });
  gates.push(inductionGate(heads));
  const sinks = heads.map(({ sink }) => sink);
  return {
    gates,
    heads,
    sinkMass: {
      largest: Math.max(...sinks),
      mean: sinks.reduce((sum, sink) => sum + sink, 0) / sinks.length,
    },
  };
}

function inductionGate(heads: readonly HeadProbe[]): GateResult {
  const best = heads.reduce((a, b) => (b.induction > a.induction ? b : a));
  const half = Z_95 * best.inductionError;
  return {
    id: 'induction',
    name: `induction head (layer ${best.layer}, head ${best.head})`,
    bar: INDUCTION_BAR,
    value: best.induction,
    low: Math.max(0, best.induction - half),
    high: Math.min(1, best.induction + half),
    count: PROBE_DEFAULTS.texts,
    passes: best.induction > INDUCTION_BAR,
  };
}

/** Tasks that say something about a cache of a model with these gates: the others are hidden for it. */
export function tasksBehind(gates: readonly Pick<GateResult, 'id' | 'passes'>[]): readonly Task[] {
  const passed = new Set(gates.filter(({ passes }) => passes).map(({ id }) => id));
  return TASKS.filter(({ gate }) => gate === undefined || passed.has(gate));
}
