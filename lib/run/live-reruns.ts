import type { Board } from './board';
import { type CellRecord, isFresh, isPending } from './cell-record';
import { CHEAP_SECONDS } from './estimate';
import { neededFileName } from './job-kinds';
import type { Scheduler } from './scheduler';

/** How long params must rest before cheap cells rerun. */
export const LIVE_DEBOUNCE_MILLISECONDS = 150;

/** Reruns stale cells that are cheap, a moment after the last change. */
export interface LiveReruns {
  consider(records: readonly CellRecord[]): void;
  /** Not that one: the user has decided otherwise. */
  forget(cellId: string): void;
  clear(): void;
}

export function createLiveReruns(
  board: Board,
  scheduler: Scheduler,
  onChange: () => void,
): LiveReruns {
  const waiting = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  /** Cheap, and so is every ancestor that is not there yet; nothing that failed is retried unasked. */
  function isCheapToRun(record: CellRecord): boolean {
    const seconds = board.estimateSeconds(record);
    if (seconds === undefined || seconds >= CHEAP_SECONDS) return false;
    if (neededFileName(record.cell) !== undefined && !board.files.has(record.cell.id)) return false;
    return record.cell.inputs.every((id) => {
      const input = board.records.get(id);
      if (input === undefined) return false;
      if (isFresh(input)) return true;
      return input.state !== 'failed' && input.state !== 'cancelled' && isCheapToRun(input);
    });
  }

  function rerun(): void {
    const ids = [...waiting];
    waiting.clear();
    for (const id of ids) {
      const record = board.records.get(id);
      if (record?.state !== 'stale' || !isCheapToRun(record)) continue;
      for (const needed of board.plan(id, (other) => !isFresh(other) && !isPending(other)))
        scheduler.request(needed);
    }
    onChange();
  }

  return {
    consider(records) {
      const stale = records.filter((record) => record.state === 'stale');
      if (stale.length === 0) return;
      for (const record of stale) waiting.add(record.cell.id);
      clearTimeout(timer);
      timer = setTimeout(rerun, LIVE_DEBOUNCE_MILLISECONDS);
    },
    forget: (cellId) => void waiting.delete(cellId),
    clear() {
      waiting.clear();
      clearTimeout(timer);
    },
  };
}
