import { formatIssue } from '../spec/issues';
import { parseNotebook } from '../spec/validate';
import { neededFileName } from './job-kinds';
import { decodeResult, encodeResult } from './result-json';
import type { Session } from './session-types';
import type { CellResult, CellState } from './types';

/** What became of one cell of a headless run. */
export interface HeadlessCell {
  readonly state: CellState;
  readonly message?: string;
  readonly result?: CellResult;
}

/**
 * A function that runs every cell of a notebook, given as JSON text, and resolves to what became of
 * them by cell id, in the form that `readHeadless` reads. A failed cell is an outcome, not an
 * error; text that is no valid notebook rejects with every issue. Calls run one after another over
 * the one session, so that what its workers learned of the adapter serves all of them. `file` is
 * bound to every cell that reads one.
 */
export function createHeadlessRunner(
  session: Session,
): (json: string, file?: File) => Promise<string> {
  let last: Promise<unknown> = Promise.resolve();

  async function run(json: string, file: File | undefined): Promise<string> {
    const parsed = parseNotebook(JSON.parse(json));
    if (!parsed.ok) throw new Error(parsed.issues.map(formatIssue).join('\n'));
    session.setNotebook(parsed.notebook);
    for (const cell of parsed.notebook.cells) {
      if (file !== undefined && neededFileName(cell) !== undefined) session.bindFile(cell.id, file);
    }
    await session.runAll();
    const cells = [...session.statuses()].map(([id, { state, message, result }]) => [
      id,
      { state, message, result },
    ]);
    return JSON.stringify(encodeResult(Object.fromEntries(cells)));
  }

  return (json, file) => {
    const next = last.then(() => run(json, file));
    last = next.catch(() => undefined);
    return next;
  };
}

/** The outcomes in the text that a headless runner returned. Both ends are of the same build. */
export function readHeadless(json: string): ReadonlyMap<string, HeadlessCell> {
  return new Map(Object.entries(decodeResult(JSON.parse(json)) as Record<string, HeadlessCell>));
}
