import '../zod-config';
import * as z from 'zod';

const count = (low: number, high: number, fallback: number) =>
  z.int().min(low).max(high).default(fallback);

/** Of an encoder of images; measured or estimated by whoever writes it here. */
const encoder = {
  /** Of one image on one accelerator, its tiles included. */
  millisecondsPerItem: z.number().min(0).max(1e6).default(100),
};

/** When a worker changes its stage. */
export const roleControlPart = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  /**
   * Every so often the stage with the longest queue gets a worker, unless every queue is at least half
   * as long: of the stage with the shortest that has more than one, when it has done what it has (EPD).
   */
  z.strictObject({
    type: z.literal('longest-queue'),
    everySeconds: z.number().min(0.01).max(3600).default(5),
    /** The worker does nothing for so long: it loads the weights of its new stage. */
    switchSeconds: z.number().min(0).max(3600).default(1),
  }),
]);
export type RoleControlPart = z.output<typeof roleControlPart>;

/** Where the images of requests become tokens, for workloads that have any. */
export const encodePart = z.discriminatedUnion('type', [
  /** Nowhere: they take no time, as if they came encoded. */
  z.strictObject({ type: z.literal('none') }),
  /** In the iteration in which the prompt begins, on the same accelerator. */
  z.strictObject({
    type: z.literal('inline'),
    ...encoder,
    /** Weights and workspace of the encoder, which KV then has less room by. */
    gigabytes: z.number().min(0).max(1000).default(1),
  }),
  /** On workers of their own, before the router (EPD). */
  z.strictObject({
    type: z.literal('pool'),
    ...encoder,
    workers: count(1, 64, 1),
    /** Images of one request on all workers at once, or one after the other on one of them. */
    parallel: z.boolean().default(true),
    linkGigabytesPerSecond: z.number().min(0.001).max(10_000).default(25),
    /** Bytes of an encoded image on its way to the prefill. */
    megabytesPerItem: z.number().min(0).max(10_000).default(5),
    roles: roleControlPart.prefault({ type: 'none' }),
  }),
]);
export type EncodePart = z.output<typeof encodePart>;
