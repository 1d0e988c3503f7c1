/** Bytes that are read in parts: a file, a `Blob`, or a file of a server. */
export interface ByteSource {
  readonly size: number;
  /** Bytes [start, end); what is read may reject, as a file that changed or a connection that broke does. */
  slice(start: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> };
}
