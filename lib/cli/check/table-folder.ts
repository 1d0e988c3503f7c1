import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isOpTableFile } from '../../serving/cost/op-tables/bundle';
import type { OpTableFiles } from '../../serving/cost/op-tables/files';

/**
 * The files of a profile: `folder` is a degree's folder (`.../tp1`, its siblings and the metadata
 * beside it are read too), or the one above it.
 *
 * @throws Error naming the folder that cannot be read or has none of the files
 */
export async function readTableFolder(folder: string): Promise<OpTableFiles> {
  const list = await readdir(folder, { withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      throw new Error(`${folder}: cannot read the folder (${error.code})`);
    },
  );
  const files: Record<string, string> = {};
  const add = async (path: string, name: string): Promise<void> => {
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text !== undefined) files[name] = text;
  };
  for (const entry of list) {
    if (entry.isDirectory() && /^tp\d+$/.test(entry.name)) {
      const inner = await readdir(join(folder, entry.name));
      for (const name of inner.filter(isOpTableFile))
        await add(join(folder, entry.name, name), `${entry.name}/${name}`);
    } else if (isOpTableFile(entry.name)) await add(join(folder, entry.name), entry.name);
  }
  if (Object.keys(files).every((name) => name === 'meta.yaml')) {
    throw new Error(`${folder}: missing dense.csv, per_sequence.csv, attention.csv`);
  }
  if (/^tp\d+$/.test(basename(folder))) {
    const above = dirname(folder);
    if (files['meta.yaml'] === undefined) await add(join(above, 'meta.yaml'), 'meta.yaml');
    await add(join(above, 'tp1', 'moe.csv'), 'tp1/moe.csv');
  }
  return files;
}
