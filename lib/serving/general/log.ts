import { MOST_LOGGED } from '../engine/commit-run';
import { beginRuns, reserveRows } from '../engine/run-log';
import { groupTokens } from './layer-pass';
import type { Replica } from './replica';
import type { State } from './state';

/**
 * Books the iteration that has just been formed: a row of its own up to `MOST_LOGGED` rows over all
 * replicas, and after that one row for iterations that follow each other with the same batch.
 */
export function logIteration(state: State, replica: Replica, seconds: number): void {
  const { log, blocksUsed, chunkTokens } = replica;
  const decodes = replica.hasDecodes ? replica.decoding.length : 0;
  const batch = decodes + chunkTokens.length;
  let prefill = 0;
  for (const tokens of chunkTokens) prefill += tokens;
  if (replica.layerPass !== undefined) prefill = groupTokens(replica.layerPass, prefill);
  if (replica.job !== undefined) prefill -= replica.job.loggedTokens;
  state.iterations++;
  state.audit?.({
    replica,
    blocksHeld: state.requests.blocksHeld,
    nowSeconds: state.nowSeconds,
  });
  const { totals } = log;
  totals.busySeconds += seconds;
  totals.batchSum += batch;
  totals.kvBlockSeconds += blocksUsed * seconds;
  if (blocksUsed > totals.kvMax) totals.kvMax = blocksUsed;
  totals.lastEndSeconds = replica.endSeconds;
  const last = log.count - 1;
  if (state.logged >= MOST_LOGGED) {
    beginRuns(log);
    const isSame =
      last >= 0 &&
      prefill === 0 &&
      log.prefillTokens[last] === 0 &&
      log.decodeTokens[last] === decodes &&
      (log.startSeconds[last] as number) + (log.durationSeconds[last] as number) >=
        replica.startSeconds - 1e-9;
    if (isSame) {
      log.durationSeconds[last] = replica.endSeconds - (log.startSeconds[last] as number);
      log.runIterations[last] = (log.runIterations[last] as number) + 1;
      return;
    }
  }
  state.logged++;
  reserveRows(log, 1);
  const row = log.count++;
  log.startSeconds[row] = replica.startSeconds;
  log.durationSeconds[row] = seconds;
  log.prefillTokens[row] = prefill;
  log.decodeTokens[row] = decodes;
  log.batchSize[row] = batch;
  log.queueLength[row] = replica.queueAtStart;
  log.kvBlocksUsed[row] = blocksUsed;
  if (log.runIterations.length > 0) log.runIterations[row] = 1;
}

/** Corrects the row of the iteration in flight, which ends at another time than it set out to. */
export function amendLog(replica: Replica): void {
  const { log, endSeconds, job } = replica;
  const last = log.count - 1;
  const planned = (log.startSeconds[last] as number) + (log.durationSeconds[last] as number);
  const change = endSeconds - planned;
  log.durationSeconds[last] = (log.durationSeconds[last] as number) + change;
  log.totals.busySeconds += change;
  log.totals.kvBlockSeconds += (log.kvBlocksUsed[last] as number) * change;
  log.totals.lastEndSeconds = endSeconds;
  if (!replica.isCut || job === undefined) return;
  const whole = job.tokens.reduce((a, b) => a + b, 0);
  const executed = job.executedSeconds + endSeconds - replica.startSeconds;
  const shown = Math.floor((whole * executed) / job.wholeSeconds) - job.loggedTokens;
  log.prefillTokens[last] = shown;
  job.loggedTokens += shown;
}
