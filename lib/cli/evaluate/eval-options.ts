import { assertPolicy } from '../../cache/policy/checks';
import { ACTION_NAMES, withAction } from '../../cache/policy/with-action';
import type { Protocol } from '../../cache/types';
import { EDIT_TASK } from '../../evaluate/edit-trace';
import { classifierOf, policyOf } from '../../evaluate/policies';
import type { AskPlan } from '../../evaluate/types';
import { DEFAULT_ENGINE, engineOf } from '../../run/engines';
import { type CacheAction, cacheAction } from '../../spec/cache-actions';
import type { CacheBudget, CachePolicy } from '../../spec/cache-policy';
import { formatIssue, toSpecIssues } from '../../spec/issues';
import { readOptions } from '../../tasks/options';
import { taskOf } from '../../tasks/registry';
import { atMost, readArguments, wholeNumber } from '../command-line';
import { SHIPPED_MODEL } from './read-model';
import { MACHINE_THREADS } from './thread-pool';

/** `proxy` is what the policy finds by itself; `fitted` measures retrieval on other contexts. */
export type GateSource = 'proxy' | 'fitted';
const GATE_SOURCES: readonly GateSource[] = ['proxy', 'fitted'];

export interface EvalOptions {
  readonly policyId: string;
  /** The policies of `EDIT_POLICIES` one after another, in place of the one. */
  readonly isEdits: boolean;
  /** The policy with another action, part by part. */
  readonly composed?: CachePolicy;
  /** Where the gates of heads come from; undefined for policies without classes of heads. */
  readonly gates?: GateSource;
  readonly budget: CacheBudget;
  readonly plan: AskPlan;
  readonly modelFolder: string;
  readonly engine: string;
  readonly threads: number;
  readonly isJson: boolean;
}

/** @throws Error naming flag and value, where it is none or the policy has no classes of heads */
function gateSource(policyId: string, text: string): GateSource {
  const source = GATE_SOURCES.find((each) => each === text);
  if (source === undefined) {
    throw new Error(`invalid --gates: ${text} (expected ${GATE_SOURCES.join(', ')})`);
  }
  if (classifierOf(policyId) === undefined) {
    throw new Error(`invalid --gates: ${text} (the policy ${policyId} has no classes of heads)`);
  }
  return source;
}

const PROTOCOLS: readonly Protocol[] = ['known', 'hidden', 'turns'];

/** A share of the full cache, or a number of tokens or bytes. @throws Error with the value */
export function parseBudget(text: string): CacheBudget {
  const match = /^(\d+(?:\.\d+)?|\.\d+)(tokens|bytes)?$/.exec(text);
  const value = Number(match?.[1]);
  const unit = match?.[2];
  if (match && unit === undefined && value > 0 && value <= 1)
    return { type: 'ratio', share: value };
  if (unit === 'tokens' && Number.isInteger(value) && value >= 1)
    return { type: 'tokens', tokens: value };
  if (unit === 'bytes' && Number.isInteger(value) && value >= 1)
    return { type: 'bytes', bytes: value };
  throw new Error(
    `invalid --budget: ${text} (expected a share above 0 and up to 1, or a number as 64tokens or 65536bytes)`,
  );
}

/** `--set name=value` of a task. @throws Error naming an option that is unknown or out of bounds */
function parseSettings(taskId: string, settings: readonly string[]): Record<string, unknown> {
  const { options } = taskOf(taskId);
  const given = Object.fromEntries(
    settings.map((setting) => {
      const [name, ...rest] = setting.split('=');
      const text = rest.join('=');
      if (name === undefined || text === '') {
        throw new Error(`invalid --set: ${setting} (expected NAME=VALUE)`);
      }
      return [name, options[name]?.type === 'choice' ? text : Number(text)];
    }),
  );
  readOptions(options, given);
  return given;
}

/** A policy under another action. @throws Error naming flag and value, or the part that cannot be */
function otherAction(policyId: string, text: string, budget: CacheBudget): CachePolicy {
  const own = policyOf(policyId).parts?.(budget);
  if (!own) {
    throw new Error(`invalid --action: ${text} (the policy ${policyId} is not made of parts)`);
  }
  const name = ACTION_NAMES.find((each) => each === text);
  if (name === undefined && !text.startsWith('{')) {
    throw new Error(
      `invalid --action: ${text} (expected ${ACTION_NAMES.join(', ')}, or an action as JSON)`,
    );
  }
  const changed = name
    ? withAction(own, name)
    : { ...withAction(own, 'merge'), action: parseAction(text) };
  assertPolicy(changed, {});
  return changed;
}

function parseAction(text: string): CacheAction {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw new Error(`invalid --action: ${text} (not JSON)`);
  }
  const parsed = cacheAction.safeParse(given);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.flatMap((issue) =>
    toSpecIssues(issue, given, () => undefined),
  );
  throw new Error(`invalid --action: ${issues.map(formatIssue).join(', ')}`);
}

/** @throws Error naming flag and value */
export function parseEvalOptions(args: readonly string[]): EvalOptions {
  const { values, positionals } = readArguments(args, {
    policy: { type: 'string' },
    edits: { type: 'boolean', default: false },
    task: { type: 'string' },
    action: { type: 'string' },
    gates: { type: 'string' },
    budget: { type: 'string', default: '1' },
    context: { type: 'string', default: '512' },
    samples: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    protocol: { type: 'string', default: 'hidden' },
    stay: { type: 'boolean', default: false },
    set: { type: 'string', multiple: true, default: [] },
    model: { type: 'string', default: SHIPPED_MODEL },
    engine: { type: 'string', default: DEFAULT_ENGINE },
    threads: { type: 'string', default: String(MACHINE_THREADS) },
    json: { type: 'boolean', default: false },
  });
  atMost(positionals, 0);
  const { edits: isEdits, policy = 'full' } = values;
  for (const flag of ['task', 'policy', 'action', 'gates'] as const) {
    if (isEdits && values[flag] !== undefined) throw new Error(`--${flag} with --edits`);
  }
  if (values.gates !== undefined && values.action !== undefined) {
    throw new Error('--gates with --action');
  }
  const taskId = isEdits ? EDIT_TASK : values.task;
  if (taskId === undefined) throw new Error('missing --task (headroom tasks lists them)');
  const task = taskOf(taskId);
  policyOf(policy);
  engineOf(values.engine);
  const protocol = PROTOCOLS.find((each) => each === values.protocol);
  if (protocol === undefined) {
    throw new Error(`invalid --protocol: ${values.protocol} (expected ${PROTOCOLS.join(', ')})`);
  }
  if (values.stay && protocol !== 'turns') throw new Error('--stay without --protocol turns');
  const options = parseSettings(taskId, values.set);
  const seed = wholeNumber('--seed', values.seed, 0, 2 ** 32 - 1);
  const contextTokens = wholeNumber('--context', values.context, 1);
  // The first sample says what is wrong with a length before a model is read.
  task.sample({ contextTokens, seed, index: 0, options });
  const budget = parseBudget(values.budget);
  return {
    policyId: policy,
    isEdits,
    ...(values.action === undefined
      ? {}
      : { composed: otherAction(policy, values.action, budget) }),
    ...(values.gates === undefined ? {} : { gates: gateSource(policy, values.gates) }),
    budget,
    plan: {
      taskId: task.id,
      options,
      contextTokens,
      seed,
      samples: wholeNumber('--samples', values.samples, 1, 100_000),
      protocol,
      answersStay: values.stay,
    },
    modelFolder: values.model,
    engine: values.engine,
    threads: wholeNumber('--threads', values.threads, 1, 64),
    isJson: values.json,
  };
}
