import { formatIssue } from '../spec/issues';
import type { Notebook } from '../spec/notebook';
import { parseNotebook } from '../spec/validate';
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
 * Runs every cell of a notebook and returns what became of them, by cell id, as JSON text in the
 * form that `readHeadless` reads. A failed cell is an outcome, not an error.
 *
 * @param json the notebook as JSON text
 * @throws Error with every issue, where the text is no valid notebook
 */
export async function runHeadless(
  json: string,
  createSession: (notebook: Notebook) => Session,
): Promise<string> {
  const parsed = parseNotebook(JSON.parse(json));
  if (!parsed.ok) throw new Error(parsed.issues.map(formatIssue).join('\n'));
  const session = createSession(parsed.notebook);
  try {
    await session.runAll();
    const cells = [...session.statuses()].map(([id, { state, message, result }]) => [
      id,
      { state, message, result },
    ]);
    return JSON.stringify(encodeResult(Object.fromEntries(cells)));
  } finally {
    session.dispose();
  }
}

/** The outcomes in the text that `runHeadless` returned. Both ends are of the same build. */
export function readHeadless(json: string): ReadonlyMap<string, HeadlessCell> {
  return new Map(Object.entries(decodeResult(JSON.parse(json)) as Record<string, HeadlessCell>));
}
