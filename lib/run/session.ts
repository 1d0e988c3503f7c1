import type { MapBase } from '../attention/types';
import type { Notebook } from '../spec/notebook';
import { attentionCall } from './attention-call';
import { createBoard } from './board';
import { createCacheHeadSource } from './cache-head-source';
import { adopt, type CellRecord, enter, isFresh, isPending, settled } from './cell-record';
import { deriveStatuses } from './derive-status';
import { neededFileName, takesFile } from './job-kinds';
import { createLiveReruns } from './live-reruns';
import { mapCall } from './map-call';
import { createMapSource } from './map-source';
import { runQueued } from './queued-call';
import { createRecordedResults } from './recorded-results';
import { createResultCache } from './result-cache';
import { createScheduler, type SchedulerDeps } from './scheduler';
import { serveInputs } from './serve-inputs';
import type { CellStatus, Session } from './session-types';
import { createWhatIfSource } from './what-if-source';

export interface SessionDeps extends SchedulerDeps {
  /** SHA-256 as hexadecimal digits. */
  hash(text: string): Promise<string>;
  /** Bound on the results kept for undo, and on the map bases kept; see `ResultCache`. */
  readonly cacheBytes?: number;
}

/**
 * A notebook's executor. Nothing runs by itself when it opens: only `run`, `runAll` and, for cells
 * that are cheap, edits start work. A heavy cell that an edit reaches while it runs is stopped and
 * turns stale; one that still waits in the queue will run with the newest params and inputs.
 */
export function createSession(initial: Notebook, deps: SessionDeps): Session {
  const board = createBoard(initial, deps.hash, deps.cacheBytes);
  const bases = createResultCache<MapBase>(deps.cacheBytes);
  const recorded = createRecordedResults();
  const listeners = new Set<() => void>();
  let statuses: ReadonlyMap<string, CellStatus> = new Map();
  let isDisposed = false;

  function publish(): void {
    if (isDisposed) return;
    statuses = deriveStatuses(board.notebook, board.records, board.estimateSeconds, statuses);
    for (const listener of [...listeners]) listener();
  }

  const whatIf = createWhatIfSource(board, deps.simulation);
  const scheduler = createScheduler(board, deps, publish, (record) =>
    live.consider(
      [...board.records.values()].filter(({ cell }) => cell.inputs.includes(record.cell.id)),
    ),
  );
  const live = createLiveReruns(board, scheduler, publish);

  /** The content behind the record changed: find its result, or stop what runs and turn stale. */
  function follow(record: CellRecord): void {
    const known = isFresh(record) ? record.result : board.cache.get(record.key);
    // Its run has not begun, so it will begin with the new content.
    if (known === undefined && record.state === 'queued') return;
    scheduler.withdraw(record);
    if (known !== undefined) adopt(record, known);
    else enter(record, 'stale');
  }

  function applyEdit(): void {
    const { gone, changed } = board.reconcile();
    for (const record of gone) {
      scheduler.withdraw(record);
      enter(record, 'cancelled');
    }
    for (const record of changed) follow(record);
    live.consider(changed);
    void matchRecorded();
    publish();
  }

  /** Gives cells that have not run the recorded result of exactly their content, if there is one. */
  async function matchRecorded(): Promise<void> {
    if (recorded.isEmpty()) return;
    const asked = board.hashes();
    const hashes = await asked.catch(() => undefined);
    if (hashes === undefined || board.hashes() !== asked || isDisposed) return;
    for (const record of board.records.values()) {
      if (record.state !== 'idle' && record.state !== 'stale') continue;
      const result = recorded.find(record.cell.kind, hashes.get(record.cell.id) as string);
      if (result === undefined) continue;
      board.cache.set(record.key, result);
      adopt(record, result);
    }
    publish();
  }

  async function start(needed: readonly CellRecord[]): Promise<void> {
    if (isDisposed) return;
    const ends = needed.map((record) => {
      live.forget(record.cell.id);
      scheduler.request(record);
      return settled(record);
    });
    publish();
    await Promise.all(ends);
  }

  function cancel(records: Iterable<CellRecord>): void {
    for (const record of records) {
      live.forget(record.cell.id);
      scheduler.cancel(record);
    }
    publish();
  }

  board.reconcile();
  publish();

  return {
    get notebook() {
      return board.notebook;
    },
    setNotebook(next) {
      if (isDisposed || next === board.notebook) return;
      board.notebook = next;
      applyEdit();
    },
    statuses: () => statuses,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    run: (cellId) =>
      start(
        board.plan(
          cellId,
          (record) => record.cell.id === cellId || (!isFresh(record) && !isPending(record)),
        ),
      ),
    runAll() {
      const isWanted = (record: CellRecord) =>
        !isPending(record) &&
        (record.state !== 'done' || record.result?.provenance.recorded === true);
      return start([
        ...new Set(board.notebook.cells.flatMap((cell) => board.plan(cell.id, isWanted))),
      ]);
    },
    cancel(cellId) {
      const isView = !board.records.has(cellId);
      cancel(board.plan(cellId, (record) => isView || record.cell.id === cellId));
    },
    cancelAll: () => cancel(board.records.values()),
    bindFile(cellId, file) {
      const cell = board.notebook.cells.find((candidate) => candidate.id === cellId);
      if (cell === undefined) throw new Error(`unknown cell: "${cellId}"`);
      if (!takesFile(cell.kind))
        throw new Error(`cell "${cellId}" is of kind ${cell.kind} and reads no file`);
      board.files.set(cellId, file);
      applyEdit();
      // Who gives a load its file wants to see it, however long that takes: it can be cancelled.
      if (cell.kind === 'workload' && neededFileName(cell) !== undefined)
        void start(board.plan(cellId, (record) => record.cell.id === cellId && !isFresh(record)));
    },
    boundFile: (cellId) => board.files.get(cellId),
    loadRecorded(results) {
      recorded.load(results);
      void matchRecorded();
    },
    mapSource: (cellId) =>
      createMapSource(cellId, {
        kernel: deps.kernel,
        queue: scheduler.queues.kernel,
        bases,
        call: () => mapCall(board, cellId),
        attention: () => attentionCall(board, cellId),
        result: () => {
          const output = board.records.get(cellId)?.result?.output;
          if (output?.kind !== 'attention')
            throw new Error(`cell "${cellId}" has no attention result yet: run it first`);
          return output.value;
        },
      }),
    cacheHead: createCacheHeadSource({
      board,
      queue: scheduler.queues.model,
      model: deps.model,
      cacheBytes: deps.cacheBytes,
    }),
    traceRequest: async (cellId, requestId, signal) => {
      const { params, workload, tables } = serveInputs(board, cellId);
      return deps.simulation.call(
        (api, jobId, report) => api.trace(jobId, params, workload, tables, requestId, report),
        signal === undefined ? {} : { signal },
      );
    },
    whatIf: whatIf.ask,
    whatIfNewest: whatIf.askNewest,
    tensors: async (cellId, onProgress) => {
      const call = attentionCall(board, cellId);
      return runQueued(
        { queue: scheduler.queues.kernel, client: deps.kernel },
        `tensors:${cellId}`,
        (api, jobId, report) => api.tensors(jobId, call, report),
        { onProgress },
      );
    },
    dispose() {
      if (isDisposed) return;
      cancel(board.records.values());
      isDisposed = true;
      live.clear();
      listeners.clear();
      scheduler.queues.kernel.clear();
      scheduler.queues.model.clear();
      scheduler.queues.simulation.clear();
      deps.kernel.dispose();
      deps.model.dispose();
      deps.simulation.dispose();
    },
  };
}
