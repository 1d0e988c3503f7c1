import '../zod-config';
import * as z from 'zod';
import { MAX_TOKENS } from './attention';
import { MAX_ENTRIES } from './cache';

/**
 * What outputs are made of: the probabilities of an attention or compose cell, those of a decode
 * step (rows are its heads), or the matrix that a recurrent cell amounts to; or of two to compare.
 * Over a cache cell: the attention of the sample that it looks at, with what a policy lets every
 * query see.
 */
export const mapParams = z.strictObject({
  /**
   * With two inputs: either one, or the first's weights minus the second's. With one decode cell the
   * difference is its storage's minus those of the keys as they were made.
   */
  show: z.enum(['first', 'second', 'difference']).default('first'),
  batch: z.int().min(0).max(15).default(0),
  head: z.int().min(0).max(63).default(0),
  /** Of the model, over a cache cell. */
  layer: z.int().min(0).max(127).default(0),
  /** Over a cache cell: which of its entries, from 0. */
  policy: z
    .int()
    .min(0)
    .max(MAX_ENTRIES - 1)
    .default(0),
  aggregate: z.enum(['max', 'mean']).default('max'),
  scale: z.enum(['log', 'linear']).default('log'),
  /** Of an attention that selects keys: the probabilities among the keys that it keeps, or where the mass is without the selection. */
  mass: z.enum(['kept', 'all']).default('kept'),
  /** Of a decode cell: the storage that holds the keys, from 1; 0 is the keys as they were made. */
  storage: z.int().min(0).max(6).default(0),
  /** Visible window in cells, [start, end); absent shows the whole map. */
  window: z
    .strictObject({
      queryStart: z.number().min(0).max(MAX_TOKENS),
      queryEnd: z.number().min(0).max(MAX_TOKENS),
      keyStart: z.number().min(0).max(MAX_TOKENS),
      keyEnd: z.number().min(0).max(MAX_TOKENS),
    })
    .optional(),
});
export type MapParams = z.output<typeof mapParams>;

/** Iterations, queues and KV use of one or more serve cells over time. */
export const timelineParams = z.strictObject({
  /** Visible span in simulated seconds; absent shows the whole run. */
  startSeconds: z.number().min(0).max(1e7).optional(),
  endSeconds: z.number().min(0).max(1e7).optional(),
});
export type TimelineParams = z.output<typeof timelineParams>;

export const PLOT_CHARTS = [
  'ttft-cdf',
  'tpot-cdf',
  'tbt-cdf',
  'e2e-cdf',
  'ttft-over-time',
  'goodput',
  'goodput-against-rate',
  'attainment-against-rate',
  'attention-roofline',
  'kernel-time',
  'part-mass',
  'storage-error',
  'recall',
  'state-bytes',
] as const;

export const plotParams = z.strictObject({
  chart: z.enum(PLOT_CHARTS).default('ttft-cdf'),
  logX: z.boolean().default(true),
});
export type PlotParams = z.output<typeof plotParams>;

/** What a compare cell holds against each other, request by request. */
export const COMPARE_MEASURES = ['ttft', 'tpot', 'e2e', 'stall'] as const;

/** Two serve cells over one workload: who gained and who lost by the change. */
export const compareParams = z.strictObject({
  measure: z.enum(COMPARE_MEASURES).default('ttft'),
  /** Order of the requests in the table. */
  order: z.enum(['lost', 'gained', 'request']).default('lost'),
  /** Visible span of both timelines in simulated seconds; absent shows the whole runs. */
  startSeconds: z.number().min(0).max(1e7).optional(),
  endSeconds: z.number().min(0).max(1e7).optional(),
});
export type CompareParams = z.output<typeof compareParams>;

export const tableParams = z.strictObject({
  /** Rows are input cells; columns are the metrics of their kind. */
  percentile: z.enum(['p50', 'p90', 'p99']).default('p90'),
});
export type TableParams = z.output<typeof tableParams>;
