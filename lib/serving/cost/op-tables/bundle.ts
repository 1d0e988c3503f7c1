import type { OpTableFiles } from './files';

/** The files of a profile as one JSON file, since a cell is bound to one file. */
export interface OpTableBundle {
  readonly format: typeof FORMAT;
  readonly files: OpTableFiles;
}

const FORMAT = 'headroom-op-tables';

/** Whether a profile needs the file of this path: its tables and its metadata. */
export function isOpTableFile(path: string): boolean {
  return /(^|\/)((dense|per_sequence|attention|skew_fit|moe)\.csv|meta\.yaml)$/.test(path);
}

export function makeBundle(files: OpTableFiles): OpTableBundle {
  return { format: FORMAT, files };
}

/** @throws Error when the value is no bundle */
export function parseBundle(value: unknown): OpTableFiles {
  const { format, files } = (value ?? {}) as Partial<OpTableBundle>;
  if (format !== FORMAT || typeof files !== 'object' || files === null) {
    throw new Error(
      `invalid operator tables: expected the CSV files of a profile, or a bundle of format ${FORMAT}`,
    );
  }
  for (const [path, text] of Object.entries(files)) {
    if (typeof text !== 'string')
      throw new Error(`invalid operator tables: ${path} is ${typeof text} (expected text)`);
  }
  return files;
}
