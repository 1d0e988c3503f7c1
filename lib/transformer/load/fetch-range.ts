/** Bytes [start, end) of a file. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** An answer of a server, whatever its status. */
export interface RangeReply {
  readonly status: number;
  /** Empty where a range was asked for and the server would have sent the whole file. */
  readonly bytes: ArrayBuffer;
  /** Size of the whole file, where the server tells and lets a page read it. */
  readonly totalBytes?: number;
}

/**
 * Asks for a file or a range of it; for its size alone where the range is empty.
 *
 * Rejects with an AbortError when cancelled and a TypeError where no answer can be read.
 */
export type FetchRange = (
  url: string,
  range: ByteRange | undefined,
  signal?: AbortSignal,
) => Promise<RangeReply>;

/** What is asked of a server. */
export interface PlainRequest {
  readonly url: string;
  readonly method: 'GET' | 'HEAD';
  /** Value of the header `Range`. */
  readonly range?: string;
}

/** What a server answers: of its headers, those that tell a size. */
export interface PlainReply {
  readonly status: number;
  readonly contentRange: string | null;
  readonly contentLength: string | null;
  readonly bytes: ArrayBuffer;
}

export function requestOf(url: string, range: ByteRange | undefined): PlainRequest {
  if (range === undefined) return { url, method: 'GET' };
  if (range.start === range.end) return { url, method: 'HEAD' };
  return { url, method: 'GET', range: `bytes=${range.start}-${range.end - 1}` };
}

export function replyOf({ status, contentRange, contentLength, bytes }: PlainReply): RangeReply {
  const text = status === 206 ? /\/(\d+)$/.exec(contentRange ?? '')?.[1] : contentLength;
  const totalBytes = Number(text ?? Number.NaN);
  return { status, bytes, ...(Number.isSafeInteger(totalBytes) ? { totalBytes } : {}) };
}
