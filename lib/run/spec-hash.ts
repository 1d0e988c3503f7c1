import type { Notebook } from '../spec/notebook';
import { foldInputs, ownContent } from './content-key';
import type { FileIdentity } from './file-identity';

/** SHA-256 of the text's UTF-8 bytes, 64 hexadecimal digits. Browsers have it in secure contexts only. */
export async function sha256Hex(text: string): Promise<string> {
  if (globalThis.crypto?.subtle === undefined)
    throw new Error('no SHA-256 here: open the page over https or from localhost');
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Spec hashes by cell id: hash of kind, kind version, canonical params, file identity and the
 * inputs' hashes. Equal in the page and on the command line.
 *
 * @param hash SHA-256 as hexadecimal digits
 */
export async function specHashes(
  notebook: Notebook,
  files: ReadonlyMap<string, FileIdentity>,
  hash: (text: string) => Promise<string>,
): Promise<ReadonlyMap<string, string>> {
  const pending = foldInputs<Promise<string>>(
    notebook,
    Promise.resolve('missing'),
    async (cell, inputs) =>
      hash(JSON.stringify([ownContent(cell, files.get(cell.id)), ...(await Promise.all(inputs))])),
  );
  const entries = [...pending].map(async ([id, value]) => [id, await value] as const);
  return new Map(await Promise.all(entries));
}
