import '../zod-config';
import * as z from 'zod';

/** Whether a request is turned away when it is sent, for the load that is there. */
export const rejectionPart = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  /** Where no replica is predicted to keep both times (Mooncake's early rejection). */
  z.strictObject({
    type: z.literal('early'),
    ttftSeconds: z.number().min(0.001).max(3600).default(10),
    tbtSeconds: z.number().min(0.001).max(60).default(0.1),
    /** What decodes now, or also what has been accepted and does not decode yet. */
    decodeLoad: z.enum(['now', 'predicted']).default('predicted'),
  }),
  /** Nobody when sent; who waits for its first place past its limit, or for so long, is given up. */
  z.strictObject({
    type: z.literal('late'),
    waitSeconds: z.number().min(0).max(1e6).default(60),
  }),
]);
export type RejectionPart = z.output<typeof rejectionPart>;
