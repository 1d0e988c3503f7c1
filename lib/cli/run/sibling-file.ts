import { readFile } from 'node:fs/promises';
import type { ReadSibling } from '../../run/recall-gap-job';

/** A file of a shipped sibling, from the repository. */
export const readSiblingFile: ReadSibling = async (name, file) => {
  const path = new URL(`../../../public/models/siblings/${name}/${file}`, import.meta.url);
  return new Blob([await readFile(path)]);
};
