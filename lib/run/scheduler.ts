import type { Board } from './board';
import { runCellJob, type Workers } from './cell-job';
import { adopt, type CellRecord, enter, isFresh, isPending, settled } from './cell-record';
import { inputFailedMessage } from './derive-status';
import { inputProblem } from './input-problem';
import { missingFileMessage, neededFileName, type WorkerName, workerOf } from './job-kinds';
import { createJobQueue, type JobQueue } from './job-queue';
import { neededInputs } from './needed-inputs';
import { makeProvenance } from './provenance';
import type { CellResult } from './types';
import { isAbortError, mentionsRestart } from './worker-client';

export interface SchedulerDeps extends Workers {
  readonly appVersion: string;
  /** Milliseconds since 1970. */
  now(): number;
}

/** Moves records from queued to their end, one job at a time per worker. */
export interface Scheduler {
  readonly queues: Readonly<Record<WorkerName, JobQueue>>;
  /** Queues a run of the cell as it will be when its turn comes; a running one starts over. */
  request(record: CellRecord): void;
  /** Gives up a run without saying what becomes of the record. */
  withdraw(record: CellRecord): void;
  /** Queued and running cells become cancelled; others stay as they are. */
  cancel(record: CellRecord): void;
}

/**
 * @param onChange called after every change of a record
 * @param onDone called when a cell has a new result
 */
export function createScheduler(
  board: Board,
  deps: SchedulerDeps,
  onChange: () => void,
  onDone: (record: CellRecord) => void,
): Scheduler {
  const queues = {
    kernel: createJobQueue(),
    model: createJobQueue(),
    simulation: createJobQueue(),
  } as const;
  const queueOf = (record: CellRecord): JobQueue => queues[workerOf(record.cell.kind)];

  function enqueue(record: CellRecord): void {
    queueOf(record).put({ key: record.cell.id, run: (signal) => runJob(record, signal) });
  }

  function request(record: CellRecord): void {
    record.version++;
    enter(record, 'queued');
    enqueue(record);
  }

  /** Ends the record, or lets it wait for its inputs, unless it can start now. */
  function canStart(record: CellRecord): boolean {
    const { cell } = record;
    const fileName = neededFileName(cell);
    if (fileName !== undefined && !board.files.has(cell.id)) {
      enter(record, 'failed', missingFileMessage(fileName));
      return false;
    }
    const problem = inputProblem(cell, board.records);
    if (problem !== undefined) {
      enter(record, 'failed', problem);
      return false;
    }
    const inputs = neededInputs(cell, board.records);
    const missing = inputs.filter((input) => !isFresh(input));
    const [first] = missing;
    if (first === undefined) return true;
    const failed = missing.find((input) => input.state === 'failed');
    if (failed !== undefined)
      enter(record, 'failed', inputFailedMessage(failed.cell.id, failed.message));
    else if (missing.some((input) => input.state === 'cancelled')) enter(record, 'cancelled');
    else {
      for (const input of missing) if (!isPending(input)) request(input);
      void settled(first).then(() => {
        if (record.state === 'queued') enqueue(record);
      });
    }
    return false;
  }

  function fail(record: CellRecord, error: unknown): void {
    if (isAbortError(error)) enter(record, 'cancelled');
    else enter(record, 'failed', error instanceof Error ? error.message : String(error));
  }

  async function runJob(record: CellRecord, signal: AbortSignal): Promise<void> {
    if (record.state !== 'queued') return;
    if (!canStart(record)) {
      onChange();
      return;
    }
    const { cell, key } = record;
    const version = ++record.version;
    const isCurrent = () => record.version === version;
    const context = board.estimateContext(record);
    const inputs = neededInputs(cell, board.records).map((input) => ({
      cell: input.cell,
      result: input.result as CellResult,
      file: neededFileName(input.cell) === undefined ? undefined : board.files.get(input.cell.id),
    }));
    const file = neededFileName(cell) === undefined ? undefined : board.files.get(cell.id);
    const hashes = board.hashes();
    // Awaited only after the job; until then a rejection has a handler here.
    hashes.catch(() => undefined);
    enter(record, 'running');
    onChange();
    const startedMilliseconds = deps.now();
    try {
      const output = await runCellJob(cell, inputs, file, deps, {
        signal,
        onProgress: (progress) => {
          if (!isCurrent()) return;
          record.progress = progress;
          record.partial = progress.partial ?? record.partial;
          onChange();
        },
      });
      const wallSeconds = (deps.now() - startedMilliseconds) / 1000;
      const specHash = (await hashes).get(cell.id) as string;
      if (!isCurrent()) return;
      const provenance = makeProvenance(cell, output, {
        appVersion: deps.appVersion,
        specHash,
        computedAtMilliseconds: startedMilliseconds,
        wallSeconds,
        inputs: inputs.map(({ result }) => result),
      });
      const result = { output, provenance };
      if (file !== undefined) board.resultFiles.set(result, file);
      board.estimator.learn(cell, output, wallSeconds, context);
      board.cache.set(key, result);
      adopt(record, result);
      onDone(record);
    } catch (error) {
      if (isCurrent()) fail(record, error);
      else if (isCancelled(record) && record.version === version + 1 && mentionsRestart(error))
        record.message = error.message;
    }
    onChange();
  }

  function isCancelled(record: CellRecord): boolean {
    return record.state === 'cancelled';
  }

  function withdraw(record: CellRecord): void {
    record.version++;
    queueOf(record).drop(record.cell.id);
  }

  return {
    queues,
    request,
    withdraw,
    cancel(record) {
      if (!isPending(record)) return;
      withdraw(record);
      enter(record, 'cancelled');
    },
  };
}
