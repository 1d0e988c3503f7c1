import type { Urgency } from '../parts/waiting-queue';
import { clearBatch, formIteration, hasPlace } from './form';
import type { Replica } from './replica';
import type { State } from './state';
import { tellResumed } from './tell-tracer';

/** Prompts that run as one, and can be stopped on the way. */
export interface PausableJob {
  readonly ids: readonly number[];
  readonly tokens: readonly number[];
  readonly wholeSeconds: number;
  executedSeconds: number;
  /** Tokens that rows of the timeline have shown already. */
  loggedTokens: number;
}

/** Share of its time limit that the first of a batch keeps to spare when others join (FlowPrefill). */
const SPARE_SHARE = 0.1;

export const canPause = (state: State, { role }: Replica): boolean =>
  state.parts.pauseSeconds !== undefined && role === 'prefill';

const urgencyOf = ({ queue }: Replica): Urgency => {
  if (queue.urgency === undefined) throw new Error('prefills can pause under priority s-edf only');
  return queue.urgency;
};

function keyOf(replica: Replica, job: PausableJob, executedSeconds: number): number {
  const rest = Math.max(0, job.wholeSeconds - executedSeconds);
  return urgencyOf(replica).key(job.ids[0] as number, rest);
}

function mostUrgentPaused(replica: Replica): PausableJob | undefined {
  let best: PausableJob | undefined;
  let least = Infinity;
  for (const job of replica.paused) {
    const key = keyOf(replica, job, job.executedSeconds);
    if (key < least) {
      best = job;
      least = key;
    }
  }
  return best;
}

/** Key of the waiting prompt that would be next, if it has a place; Infinity for none. */
function waitingKey(state: State, replica: Replica): number {
  const { queue, step } = replica;
  if (queue.length === 0) return Infinity;
  const id = queue.peek(step);
  return hasPlace(state, replica, id) ? urgencyOf(replica).key(id) : Infinity;
}

/**
 * Decides what an idle prefill replica runs: the most urgent of what was stopped and what waits.
 * @returns false when there is nothing to run
 */
export function formPausable(state: State, replica: Replica): boolean {
  replica.job = undefined;
  const best = mostUrgentPaused(replica);
  if (
    best !== undefined &&
    keyOf(replica, best, best.executedSeconds) <= waitingKey(state, replica)
  ) {
    clearBatch(replica);
    tellResumed(state, replica, best.ids[0] as number);
    replica.paused.splice(replica.paused.indexOf(best), 1);
    replica.chunkIds.push(...best.ids);
    replica.chunkTokens.push(...best.tokens);
    replica.queueAtStart = replica.queue.length;
    replica.job = best;
    return true;
  }
  return formIteration(state, replica);
}

/** What has just been formed for the first time, and how long it takes. */
export const beginJob = (replica: Replica, wholeSeconds: number): PausableJob => ({
  ids: [...replica.chunkIds],
  tokens: [...replica.chunkTokens],
  wholeSeconds,
  executedSeconds: 0,
  loggedTokens: 0,
});

/**
 * Looks, after something came, whether it is more urgent than what runs; if so, that ends at the end of
 * its operator.
 * @returns whether its end has changed
 */
export function cutIfLessUrgent(state: State, replica: Replica, now: number): boolean {
  const { job } = replica;
  const { pauseSeconds } = state.parts;
  if (job === undefined || replica.isCut || pauseSeconds === undefined) return false;
  const ran = now - replica.startSeconds;
  const other = mostUrgentPaused(replica);
  const others = other === undefined ? Infinity : keyOf(replica, other, other.executedSeconds);
  const challenger = Math.min(waitingKey(state, replica), others);
  if (challenger >= keyOf(replica, job, job.executedSeconds + ran)) return false;
  const operators = Math.max(1, Math.ceil(ran / pauseSeconds));
  const end = replica.startSeconds + operators * pauseSeconds;
  if (end < now || end >= replica.endSeconds) return false;
  replica.endSeconds = end;
  replica.isCut = true;
  return true;
}

/** The iteration ends before its prompts do: they wait with what they have. */
export function pauseJob(state: State, replica: Replica): void {
  const { job } = replica;
  if (job === undefined) return;
  job.executedSeconds += replica.endSeconds - replica.startSeconds;
  if (state.trace !== undefined && job.ids.includes(state.trace.id)) state.trace.cutShort();
  replica.paused.push(job);
  replica.isCut = false;
  state.pauses++;
}

/** Whether a waiting prompt would take the time that the first of the batch keeps to spare. */
export function leavesTooLittle(
  state: State,
  replica: Replica,
  batchSeconds: () => number,
): boolean {
  const first = replica.chunkIds[0];
  if (first === undefined || !canPause(state, replica)) return false;
  const deadline = urgencyOf(replica).deadlineSeconds(first);
  const limit = deadline - (state.requests.arrivalSeconds[first] as number);
  return deadline - state.nowSeconds - batchSeconds() < SPARE_SHARE * limit;
}
