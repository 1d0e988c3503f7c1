import { readFile } from 'node:fs/promises';
import type { RecallFile } from '../../transformer/recall';

/** A file of the shipped model, from the repository. */
export async function readRecallFile(name: RecallFile): Promise<Blob> {
  const path = new URL(`../../../public/models/recall/${name}`, import.meta.url);
  return new Blob([await readFile(path)]);
}
