import { createRandom, type Random } from '../random/random';
import { readOptions, type TaskOptions, type ValuesOf } from './options';
import type { TaskSample } from './types';

/** What a model must be measured to do before a task's results say anything about a cache. */
export type GateId = 'passkey' | 'multi-key' | 'two-hop' | 'induction';

/** How the questions of one context belong together. */
export type Asking =
  /** Each stands on its own. */
  | 'apart'
  /** All are asked in turn, and the model's answers stay. */
  | 'in turn'
  /** All are asked in turn; a question holds the true answers before it. */
  | 'given answers';

export type Metric = 'exact match' | 'loss above entropy';

/** A task with its options' types; `Task` is what the registry holds. */
export interface TaskDefinition<S extends TaskOptions> {
  readonly id: string;
  readonly name: string;
  /** What it tests, in one sentence. */
  readonly tests: string;
  /** Where it comes from: authors, year and the name it has there. */
  readonly source: string;
  readonly options: S;
  readonly metric: Metric;
  readonly asking: Asking;
  readonly gate?: GateId;
  /** Fewest tokens that a context may have. */
  leastContextTokens(values: ValuesOf<S>): number;
  /** Probability that a guess of the right form is right; 0 where nothing is guessed. */
  chance(values: ValuesOf<S>, contextTokens: number): number;
  generate(values: ValuesOf<S> & { readonly contextTokens: number }, random: Random): TaskSample;
}

export interface SampleRequest {
  readonly contextTokens: number;
  readonly seed: number;
  /** Which sample of the seed's stream. */
  readonly index: number;
  readonly options?: Readonly<Record<string, unknown>>;
}

export interface Task
  extends Omit<TaskDefinition<TaskOptions>, 'generate' | 'chance' | 'leastContextTokens'> {
  /** @throws RangeError for an unknown option or a value out of bounds */
  leastContextTokens(options?: Readonly<Record<string, unknown>>): number;
  chance(contextTokens: number, options?: Readonly<Record<string, unknown>>): number;
  /**
   * Sample `index` of a seed: the same whoever makes it and in which order.
   *
   * @throws RangeError for an unknown option, or a value out of bounds
   */
  sample(request: SampleRequest): TaskSample;
}

/** Longest context of any task: the positions the shipped models know. */
export const MOST_CONTEXT_TOKENS = 1024;

export function defineTask<const S extends TaskOptions>(definition: TaskDefinition<S>): Task {
  const { id, options } = definition;
  const valuesOf = (given: Readonly<Record<string, unknown>> = {}) => readOptions(options, given);
  return {
    ...definition,
    options,
    leastContextTokens: (given) => definition.leastContextTokens(valuesOf(given)),
    chance: (contextTokens, given) => definition.chance(valuesOf(given), contextTokens),
    sample({ contextTokens, seed, index, options: given }) {
      const values = valuesOf(given);
      const least = definition.leastContextTokens(values);
      if (
        !Number.isInteger(contextTokens) ||
        contextTokens < least ||
        contextTokens > MOST_CONTEXT_TOKENS
      ) {
        throw new RangeError(
          `invalid contextTokens: ${contextTokens} for ${id} (expected ${least}..${MOST_CONTEXT_TOKENS})`,
        );
      }
      const random = createRandom(seed).fork(`${id} ${index}`);
      return definition.generate({ ...values, contextTokens }, random);
    },
  };
}
