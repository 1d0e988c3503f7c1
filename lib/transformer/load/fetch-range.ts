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

/** By the `fetch` of where this runs. */
export const fetchDirectly: FetchRange = async (url, range, signal) => {
  const isSizeOnly = range !== undefined && range.start === range.end;
  const response = await fetch(url, {
    method: isSizeOnly ? 'HEAD' : 'GET',
    credentials: 'omit',
    referrerPolicy: 'no-referrer',
    ...(range && !isSizeOnly
      ? { headers: { Range: `bytes=${range.start}-${range.end - 1}` } }
      : {}),
    ...(signal ? { signal } : {}),
  });
  const { status, headers } = response;
  const isWanted = !isSizeOnly && (range === undefined ? status === 200 : status === 206);
  if (!isWanted) await response.body?.cancel();
  const bytes = isWanted ? await response.arrayBuffer() : new ArrayBuffer(0);
  const total = totalOf(status, headers.get('content-range'), headers.get('content-length'));
  return { status, bytes, ...(total === undefined ? {} : { totalBytes: total }) };
};

function totalOf(
  status: number,
  contentRange: string | null,
  contentLength: string | null,
): number | undefined {
  const text =
    status === 206 ? /\/(\d+)$/.exec(contentRange ?? '')?.[1] : (contentLength ?? undefined);
  const total = Number(text);
  return text !== undefined && Number.isSafeInteger(total) ? total : undefined;
}
