/** What makes a bound file the same file, as far as a page can tell without reading it. */
export interface FileIdentity {
  readonly name: string;
  readonly size: number;
  readonly lastModified: number;
}

/** The identity as JSON data, for keys and hashes. */
export function identityOf(file: FileIdentity): readonly [string, number, number] {
  return [file.name, file.size, file.lastModified];
}
