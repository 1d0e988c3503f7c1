import { command, readArguments } from '../command-line';
import { readNotebook } from '../read-notebook';

const USAGE = 'usage: headroom validate FILE...';

function readFiles(args: readonly string[]): readonly string[] {
  const { positionals } = readArguments(args, {});
  if (positionals.length === 0) throw new Error('missing FILE');
  return positionals;
}

/** `headroom validate FILE...`: says of every file whether it is a notebook, and why not. */
export const validateCommand = command(USAGE, readFiles, async (files) => {
  let code = 0;
  for (const file of files) {
    const read = await readNotebook(file);
    if ('errors' in read) {
      code = 1;
      for (const line of read.errors) console.error(line);
    } else {
      console.log(`${file}: valid, ${read.notebook.cells.length} cells`);
    }
  }
  return code;
});
