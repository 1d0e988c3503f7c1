/** A file with its path within what was chosen. */
export interface NamedFile {
  readonly path: string;
  readonly file: Blob;
}

const MAX_TEXT_BYTES = 256 * 2 ** 20;

/**
 * The text of a file, plain or gzip.
 * @throws Error naming the file that cannot be read, is too large or no UTF-8 text
 */
export async function fileText({ path, file }: NamedFile): Promise<string> {
  const fail = (why: string) => new Error(`${path}: ${why}`);
  const head = await file
    .slice(0, 2)
    .arrayBuffer()
    .catch(() => {
      throw fail('cannot read the file');
    });
  const [first, second] = new Uint8Array(head);
  const isGzip = first === 0x1f && second === 0x8b;
  const stream = isGzip
    ? file.stream().pipeThrough(new DecompressionStream('gzip'))
    : file.stream();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const reader = stream.getReader();
  const parts: string[] = [];
  const decode = (bytes?: Uint8Array): string => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch {
      throw fail('the file is not UTF-8 text');
    }
  };
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw fail(isGzip ? 'the gzip file is damaged' : 'cannot read the file');
    });
    if (done) break;
    bytes += value.length;
    if (bytes > MAX_TEXT_BYTES) {
      await reader.cancel();
      throw fail(`above ${MAX_TEXT_BYTES / 2 ** 20} MiB`);
    }
    parts.push(decode(value));
  }
  parts.push(decode());
  return parts.join('');
}
