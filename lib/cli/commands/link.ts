import { parseArgs } from 'node:util';
import { encodeLink } from '../../share/link';
import { readNotebook } from './validate';

/** `headroom link FILE [--base URL]`: prints the link that opens the notebook. */
export async function linkCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { base: { type: 'string', default: '' } },
  });
  const [file] = positionals;
  if (file === undefined || positionals.length > 1) {
    console.error('usage: headroom link FILE [--base https://host/path]');
    return 2;
  }
  const read = await readNotebook(file);
  if ('errors' in read) {
    for (const line of read.errors) console.error(line);
    return 1;
  }
  console.log(`${values.base.replace(/\/$/, '')}/n/${await encodeLink(read.notebook)}`);
  return 0;
}
