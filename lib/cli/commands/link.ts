import { encodeLink } from '../../share/link';
import { command, onlyArgument, readArguments } from '../command-line';
import { notebookOf } from '../read-notebook';

const USAGE = 'usage: headroom link FILE [--base https://host/path]';

function readOptions(args: readonly string[]) {
  const { values, positionals } = readArguments(args, { base: { type: 'string', default: '' } });
  return { file: onlyArgument(positionals, 'FILE'), base: values.base.replace(/\/$/, '') };
}

/** `headroom link FILE [--base URL]`: prints the link that opens the notebook. */
export const linkCommand = command(USAGE, readOptions, async ({ file, base }) => {
  const { notebook } = await notebookOf(file);
  console.log(`${base}/n/${await encodeLink(notebook)}`);
  return 0;
});
