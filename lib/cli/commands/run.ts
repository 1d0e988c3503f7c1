import { writeFile } from 'node:fs/promises';
import { inputsFirst } from '../../run/content-key';
import { neededFileName } from '../../run/job-kinds';
import { command } from '../command-line';
import { assertWritable } from '../files';
import { notebookOf } from '../read-notebook';
import { openBoundFile } from '../run/bound-file';
import { createNodeSession } from '../run/node-session';
import { parseRunOptions, RUN_USAGE, type RunOptions } from '../run/options';
import { applyOverrides } from '../run/overrides';
import { resultsJson } from '../run/results';

/** The results as text. @throws Error `file:line: message` */
async function runNotebook(options: RunOptions): Promise<string> {
  const { file } = options;
  const parsed = await notebookOf(file);
  if (options.out !== '-') await assertWritable(options.out);
  const notebook = applyOverrides(parsed.notebook, options);
  const bound = await Promise.all(
    options.bindings.map(
      async (binding) => [binding.cellId, await openBoundFile(binding, notebook)] as const,
    ),
  );
  const unbound = notebook.cells.find(
    (cell) =>
      neededFileName(cell) !== undefined &&
      !options.bindings.some(({ cellId }) => cellId === cell.id),
  );
  if (unbound !== undefined) {
    const name = JSON.stringify(neededFileName(unbound));
    const line = parsed.cellLines.get(unbound.id) ?? 1;
    throw new Error(
      `${file}:${line}: cell "${unbound.id}": needs the file ${name}: pass --bind ${unbound.id}=PATH`,
    );
  }
  const { session, close } = createNodeSession(notebook);
  try {
    for (const [cellId, blob] of bound) session.bindFile(cellId, blob);
    for (const { id } of inputsFirst(notebook)) {
      await session.run(id);
      const { state, message, result } = session.statuses().get(id) ?? { state: 'idle' };
      if (state === 'failed') {
        const line = parsed.cellLines.get(id) ?? 1;
        throw new Error(`${file}:${line}: cell "${id}": ${message}`);
      }
      if (result !== undefined)
        console.error(`${id}: ${state} in ${result.provenance.wallSeconds.toFixed(3)} s`);
    }
    return resultsJson(notebook, session.statuses(), options.hasTimelines);
  } finally {
    await close();
  }
}

/** `headroom run`: a notebook file in, a results file out. See `RUN_USAGE`. */
export const runCommand = command(RUN_USAGE, parseRunOptions, async (options) => {
  const results = await runNotebook(options);
  if (options.out === '-') process.stdout.write(results);
  else await writeFile(options.out, results);
  return 0;
});
