/** Requests in arrival order, one column each. Arrival times are seconds from the first kept request. */
export interface Workload {
  readonly arrivalSeconds: Float64Array;
  readonly promptTokens: Int32Array;
  readonly outputTokens: Int32Array;
  /** Whose request it is, where the workload tells clients apart. */
  readonly clientIds?: Int32Array;
  /** What the requests are, in words: `600 requests, generated, Azure 2023 conversation lengths`. */
  readonly label: string;
  /** Where they come from: the file's name, or the statistics that the generator was fitted to. */
  readonly source: string;
  readonly seed: number;
  /** Rows that were read but not kept, with the reason; never silent. */
  readonly notes: readonly string[];
}
