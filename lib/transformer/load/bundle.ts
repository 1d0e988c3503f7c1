import type { ByteSource } from '../../tensors/byte-source';
import type { ModelFiles } from './model-files';

/** First bytes of a bundle, and its version. */
const MAGIC = 'headroom-model-1\n';
const MAX_MANIFEST_BYTES = 1 << 20;

interface Entry {
  readonly name: string;
  readonly bytes: number;
}

/**
 * Several files of a model as one, since a cell is bound to one file: a line, the manifest's length,
 * the manifest, and the files. Made of references: nothing is read or copied.
 */
export function bundleFiles(files: ReadonlyMap<string, Blob>, name: string): File {
  const entries: Entry[] = [...files].map(([each, blob]) => ({ name: each, bytes: blob.size }));
  const manifest = new TextEncoder().encode(JSON.stringify(entries));
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, manifest.length, true);
  const modified = [...files.values()].map((file) =>
    file instanceof File ? file.lastModified : 0,
  );
  return new File([MAGIC, length, manifest, ...files.values()], name, {
    lastModified: Math.max(0, ...modified),
  });
}

/** @throws Error where the file is no bundle, or is cut off */
export async function openBundle(file: Blob): Promise<ModelFiles> {
  const head = await file.slice(0, MAGIC.length + 4).arrayBuffer();
  const magic = new TextDecoder().decode(
    new Uint8Array(head, 0, Math.min(MAGIC.length, head.byteLength)),
  );
  if (magic !== MAGIC || head.byteLength < MAGIC.length + 4) {
    throw new Error(
      'not the files of a model: choose config.json, tokenizer.json and the safetensors',
    );
  }
  const length = new DataView(head).getUint32(MAGIC.length, true);
  const start = MAGIC.length + 4;
  if (length > MAX_MANIFEST_BYTES) throw new Error(`model bundle: manifest of ${length} bytes`);
  const manifest = JSON.parse(await file.slice(start, start + length).text()) as readonly Entry[];
  const files = new Map<string, ByteSource>();
  let at = start + length;
  for (const { name, bytes } of manifest) {
    if (at + bytes > file.size) throw new Error(`model bundle: cut off within "${name}"`);
    files.set(name, file.slice(at, at + bytes));
    at += bytes;
  }
  return files;
}
