/** A file with its path within what was chosen. */
export interface PickedFile {
  readonly path: string;
  readonly file: File;
}

/** The files of an input, which names their folder where a folder was chosen. */
export function pickedFiles(list: FileList | null): readonly PickedFile[] {
  return [...(list ?? [])].map((file) => ({
    path: file.webkitRelativePath === '' ? file.name : file.webkitRelativePath,
    file,
  }));
}
