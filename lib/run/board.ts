import { ancestors } from '../spec/graph';
import type { Notebook } from '../spec/notebook';
import { adopt, type CellRecord, createRecord, isFresh } from './cell-record';
import { contentKeys, inputsFirst } from './content-key';
import { createEstimator, type EstimateContext, type Estimator } from './estimate';
import { isJobCell } from './job-kinds';
import { createResultCache, type ResultCache } from './result-cache';
import { specHashes } from './spec-hash';
import type { CellResult } from './types';

/** The state of a session: the document, what is bound to it, and a record per cell that runs. */
export interface Board {
  notebook: Notebook;
  readonly records: Map<string, CellRecord>;
  readonly files: Map<string, File>;
  /** The file that each result was computed from. */
  readonly resultFiles: WeakMap<CellResult, File>;
  /** Results by content key: what makes an undo instant. */
  readonly cache: ResultCache<CellResult>;
  readonly estimator: Estimator;
  /** Spec hashes of the document as it is now; the same promise until the content changes. */
  hashes(): Promise<ReadonlyMap<string, string>>;
  estimateContext(record: CellRecord): EstimateContext;
  estimateSeconds(record: CellRecord): number | undefined;
  /** The cell's job ancestors and itself, inputs first, as far as `isWanted` says. */
  plan(cellId: string, isWanted: (record: CellRecord) => boolean): readonly CellRecord[];
  /**
   * Brings the records in line with the document and the files: makes the missing ones, returns
   * those whose cell is gone or changed its kind (already removed) and those with new content.
   */
  reconcile(): { readonly gone: readonly CellRecord[]; readonly changed: readonly CellRecord[] };
}

export function createBoard(
  initial: Notebook,
  hash: (text: string) => Promise<string>,
  cacheBytes: number | undefined,
): Board {
  const records = new Map<string, CellRecord>();
  const files = new Map<string, File>();
  const cache = createResultCache<CellResult>(cacheBytes);
  const estimator = createEstimator();
  let hashes: Promise<ReadonlyMap<string, string>> | undefined;

  function estimateContext(record: CellRecord): EstimateContext {
    const inputId = record.cell.inputs[0];
    const first = inputId === undefined ? undefined : records.get(inputId);
    // A sweep and a plan search run under the load of their strategy.
    const repeats = record.cell.kind === 'sweep' || record.cell.kind === 'plan';
    const loadId = repeats ? first?.cell.inputs[0] : inputId;
    const input = loadId === undefined ? undefined : records.get(loadId);
    const made = input !== undefined && isFresh(input) ? input.result?.output : undefined;
    const planned = input?.cell.kind === 'workload' ? input.cell.params : undefined;
    return {
      workload: made?.kind === 'workload' ? made.value : planned,
      fileBytes: files.get(record.cell.id)?.size,
    };
  }

  const board: Board = {
    notebook: initial,
    records,
    files,
    resultFiles: new WeakMap(),
    cache,
    estimator,
    hashes() {
      hashes ??= specHashes(board.notebook, files, hash);
      return hashes;
    },
    estimateContext,
    estimateSeconds: (record) => estimator.seconds(record.cell, estimateContext(record)),

    plan(cellId, isWanted) {
      const needed = ancestors(board.notebook.cells, cellId);
      return inputsFirst(board.notebook).flatMap(({ id }) => {
        const record = id === cellId || needed.has(id) ? records.get(id) : undefined;
        return record !== undefined && isWanted(record) ? [record] : [];
      });
    },

    reconcile() {
      hashes = undefined;
      const keys = contentKeys(board.notebook, files);
      const kinds = new Map(board.notebook.cells.map((cell) => [cell.id, cell.kind]));
      const gone = [...records.values()].filter(({ cell }) => kinds.get(cell.id) !== cell.kind);
      for (const record of gone) records.delete(record.cell.id);
      for (const id of [...files.keys()]) if (!kinds.has(id)) files.delete(id);
      const changed: CellRecord[] = [];
      for (const cell of board.notebook.cells) {
        if (!isJobCell(cell)) continue;
        const key = keys.get(cell.id) as string;
        const record = records.get(cell.id);
        if (record === undefined) {
          const created = createRecord(cell, key);
          records.set(cell.id, created);
          const known = cache.get(key);
          if (known !== undefined) adopt(created, known);
          continue;
        }
        record.cell = cell;
        if (record.key === key) continue;
        record.key = key;
        changed.push(record);
      }
      return { gone, changed };
    },
  };
  return board;
}
