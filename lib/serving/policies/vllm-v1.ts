import type { RequestTracer } from '../trace/tracer';
import type { Blocker } from '../trace/types';
import type { KvManager } from '../vllm-v1/kv-manager';
import type { Step } from '../vllm-v1/step';
import type { WaitingQueue } from '../vllm-v1/waiting-queue';

export interface VllmV1Options {
  /** Tokens of one step, whatever they are (`max_num_batched_tokens`). */
  readonly maxBatchedTokens: number;
  readonly maxSequences: number;
  /** Most prompt tokens of one request in one step; 0 for no such limit. */
  readonly longPrefillTokens: number;
  /** Without it a prompt waits until the budget holds all of it. */
  readonly chunkedPrefill: boolean;
  /** Admit only when blocks for the whole prompt are free, not just for its first chunk. */
  readonly reservePrompt: boolean;
  readonly order: 'fcfs' | 'priority';
}

/** What the rule looks at and changes: columns by request, and the lists of one replica. */
export interface VllmV1State {
  readonly waiting: WaitingQueue;
  /** Admitted requests in admission order. */
  readonly running: number[];
  readonly kv: KvManager;
  readonly arrivalSeconds: Float64Array;
  readonly priority: Int32Array | undefined;
  readonly promptTokens: Int32Array;
  readonly outputTokens: Int32Array;
  /** Tokens whose KV exists or is being computed by a step that has been formed. */
  readonly computed: Int32Array;
  /** Output tokens that formed steps will emit. */
  readonly planned: Int32Array;
  /** Output tokens that have been emitted. */
  readonly emitted: Int32Array;
  readonly preemptions: Int32Array;
  /** Told what becomes of one request; undefined but in a run that is made to tell. */
  readonly trace?: RequestTracer | undefined;
  /** Place of each running request in the order of admission, which is the order of `running`. */
  readonly admission: Int32Array;
  /** Admissions so far. */
  admitted: number;
  /** Called when a request is admitted: tokens asked of the prefix cache, and found. */
  onAdmitted(id: number, queriedTokens: number, hitTokens: number): void;
}

/**
 * Forms one step by the rule of vLLM V1 (`vllm/v1/core/sched/scheduler.py`, 0.19). There are no
 * phases: each request has computed tokens that catch up with the tokens it has. Running requests
 * share the token budget first, in admission order; when blocks run out, the last of them (by
 * priority: the least important, latest) is preempted to be computed again. Then waiting requests
 * are admitted until the budget, the sequence limit or the blocks end; a step that preempted admits
 * nobody. `step` is filled; empty means that there is nothing to run.
 */
export function formVllmV1Step(state: VllmV1State, options: VllmV1Options, step: Step): void {
  step.clear();
  const hasPreempted = scheduleRunning(state, options, step);
  const { trace } = state;
  if (trace !== undefined) trace.blocker = hasPreempted ? { type: 'preempting' } : undefined;
  if (!hasPreempted) scheduleWaiting(state, options, step);
  if (trace !== undefined) trace.head = state.waiting.peek();
  commitStep(state, step);
}

/** Counts the tokens of a step as computed, and what its end will emit as planned. */
export function commitStep(state: VllmV1State, step: Step): void {
  const { promptTokens, computed, planned } = state;
  for (let i = 0; i < step.count; i++) {
    const id = step.ids[i] as number;
    step.contexts[i] = computed[id] as number;
    computed[id] = (computed[id] as number) + (step.tokens[i] as number);
    const known = (promptTokens[id] as number) + (planned[id] as number);
    if (computed[id] === known) {
      planned[id] = (planned[id] as number) + 1;
      step.emits[i] = 1;
    } else step.emits[i] = 0;
  }
}

function scheduleRunning(state: VllmV1State, options: VllmV1Options, step: Step): boolean {
  const { running, kv, promptTokens, outputTokens, computed, planned, emitted } = state;
  let hasPreempted = false;
  let next = 0;
  while (next < running.length && step.tokenCount < options.maxBatchedTokens) {
    const id = running[next] as number;
    // One step ahead, a request whose last token is on its way has nothing left to compute.
    if ((planned[id] as number) >= (outputTokens[id] as number)) {
      next++;
      continue;
    }
    const prompt = promptTokens[id] as number;
    const done = computed[id] as number;
    const tokens = chunkOf(prompt + (planned[id] as number) - done, options, step);
    let hasSlots = kv.allocate(id, done, tokens, false, 0);
    while (!hasSlots) {
      const victim = pickVictim(state, options);
      const place = running.indexOf(victim);
      running.splice(place, 1);
      if (place < next) next--;
      step.remove(victim);
      if (state.trace?.id === victim) {
        const { nowSeconds } = state.trace;
        state.trace.preempted(nowSeconds, 'memory', id, computed[victim] as number, false);
      }
      preempt(state, victim);
      hasPreempted = true;
      if (victim === id) break;
      hasSlots = kv.allocate(id, done, tokens, false, 0);
    }
    if (!hasSlots) break;
    // The tokens of a block must be known before it has a name.
    kv.index(id, Math.min(done + tokens, prompt + (emitted[id] as number)));
    step.add(id, tokens);
    next++;
  }
  return hasPreempted;
}

/**
 * Admits waiting requests into a step that already has the tokens of the running ones; a tracer is
 * told what stopped the next one.
 */
export function scheduleWaiting(state: VllmV1State, options: VllmV1Options, step: Step): void {
  const { waiting, running, kv, promptTokens, emitted, computed, trace } = state;
  while (waiting.length > 0 && step.tokenCount < options.maxBatchedTokens) {
    if (running.length >= options.maxSequences) {
      if (trace !== undefined)
        trace.blocker = { type: 'seats', taken: running.length, limit: options.maxSequences };
      return;
    }
    const id = waiting.peek() as number;
    const known = (promptTokens[id] as number) + (emitted[id] as number);
    if (trace === undefined && kv.isStillRefused(id, known)) return;
    const hit = kv.findPrefix(id, known);
    const left = known - hit;
    const limited = limitedPrompt(left, options);
    if (!options.chunkedPrefill && limited > options.maxBatchedTokens - step.tokenCount) {
      if (trace !== undefined) trace.blocker = budgetSpent(state, options, step);
      return;
    }
    const tokens = chunkOf(left, options, step);
    const reserved = options.reservePrompt ? known : 0;
    if (!kv.allocate(id, hit, tokens, true, reserved)) {
      if (trace !== undefined)
        trace.blocker = blocksMissing(state, Math.max(hit + tokens, reserved) - hit);
      return;
    }
    waiting.pop();
    running.push(id);
    state.admission[id] = state.admitted++;
    computed[id] = hit;
    kv.index(id, Math.min(hit + tokens, known));
    state.onAdmitted(id, known, hit);
    step.add(id, tokens);
  }
  if (trace !== undefined && waiting.length > 0) trace.blocker = budgetSpent(state, options, step);
}

/** The tokens of the step are given out: to whom. */
export function budgetSpent(state: VllmV1State, options: VllmV1Options, step: Step): Blocker {
  let decodeTokens = 0;
  for (let i = 0; i < step.count; i++) {
    const id = step.ids[i] as number;
    const isPrompt = (state.computed[id] as number) < (state.promptTokens[id] as number);
    if (!isPrompt && step.tokens[i] === 1) decodeTokens++;
  }
  const promptTokens = step.tokenCount - decodeTokens;
  return { type: 'budget', limit: options.maxBatchedTokens, decodeTokens, promptTokens };
}

function blocksMissing({ kv, running }: VllmV1State, tokens: number): Blocker {
  return {
    type: 'blocks',
    needed: Math.ceil(tokens / kv.blockTokens),
    free: kv.pool.freeCount,
    total: kv.pool.total,
    holders: running.length,
  };
}

export function limitedPrompt(left: number, { longPrefillTokens }: VllmV1Options): number {
  return longPrefillTokens > 0 ? Math.min(left, longPrefillTokens) : left;
}

function chunkOf(left: number, options: VllmV1Options, step: Step): number {
  return Math.min(limitedPrompt(left, options), options.maxBatchedTokens - step.tokenCount);
}

function pickVictim(state: VllmV1State, options: VllmV1Options): number {
  const { running, priority, arrivalSeconds } = state;
  if (options.order === 'fcfs') return running[running.length - 1] as number;
  let victim = running[0] as number;
  for (let i = 1; i < running.length; i++) {
    const id = running[i] as number;
    const less = (priority?.[id] ?? 0) - (priority?.[victim] ?? 0);
    const later = (arrivalSeconds[id] as number) - (arrivalSeconds[victim] as number);
    if (less > 0 || (less === 0 && later > 0)) victim = id;
  }
  return victim;
}

function preempt(state: VllmV1State, id: number): void {
  const known = (state.promptTokens[id] as number) + (state.emitted[id] as number);
  state.kv.indexOwn(id, Math.min(state.computed[id] as number, known));
  state.kv.free(id);
  state.computed[id] = 0;
  state.preemptions[id] = (state.preemptions[id] as number) + 1;
  state.waiting.pushPreempted(id);
}
