import { readFile, writeFile } from 'node:fs/promises';
import { inputsFirst } from '../../run/content-key';
import { neededFileName } from '../../run/job-kinds';
import { parseFile } from '../../spec/markdown';
import { openBoundFile } from '../run/bound-file';
import { createNodeSession } from '../run/node-session';
import { parseRunOptions, RUN_USAGE, type RunOptions } from '../run/options';
import { applyOverrides } from '../run/overrides';
import { resultsJson } from '../run/results';

/** The results as text, or the lines to fail with. */
async function runNotebook(
  options: RunOptions,
): Promise<{ results: string } | { errors: string[] }> {
  const { file } = options;
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${file}: cannot read the file (${error.code})`);
  });
  const parsed = parseFile(text);
  if (!parsed.ok)
    return { errors: parsed.issues.map(({ line, message }) => `${file}:${line}: ${message}`) };
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
    return {
      errors: [
        `${file}:${line}: cell "${unbound.id}": needs the file ${name}: pass --bind ${unbound.id}=PATH`,
      ],
    };
  }
  const { session, close } = createNodeSession(notebook);
  try {
    for (const [cellId, blob] of bound) session.bindFile(cellId, blob);
    for (const { id } of inputsFirst(notebook)) {
      await session.run(id);
      const { state, message, result } = session.statuses().get(id) ?? { state: 'idle' };
      if (state === 'failed') {
        const line = parsed.cellLines.get(id) ?? 1;
        return { errors: [`${file}:${line}: cell "${id}": ${message}`] };
      }
      if (result !== undefined)
        console.error(`${id}: ${state} in ${result.provenance.wallSeconds.toFixed(3)} s`);
    }
    return { results: resultsJson(notebook, session.statuses(), options.hasTimelines) };
  } finally {
    await close();
  }
}

/**
 * `headroom run`: a notebook file in, a results file out. See `RUN_USAGE`.
 * @param args what follows `run` on the command line
 * @returns the exit code: 0, or 1 with the reason on standard error and nothing written
 */
export async function runCommand(args: readonly string[]): Promise<number> {
  let options: RunOptions | 'help';
  try {
    options = parseRunOptions(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${RUN_USAGE}`);
    return 1;
  }
  if (options === 'help') {
    console.log(RUN_USAGE);
    return 0;
  }
  try {
    const outcome = await runNotebook(options);
    if ('errors' in outcome) {
      for (const line of outcome.errors) console.error(line);
      return 1;
    }
    if (options.out === '-') process.stdout.write(outcome.results);
    else await writeFile(options.out, outcome.results);
    return 0;
  } catch (error) {
    console.error((error as Error).message);
    return 1;
  }
}
