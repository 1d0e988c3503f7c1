import '../zod-config';
import * as z from 'zod';

/** A published method held against the figures it is known by. */
export const checkParams = z.strictObject({
  /** Which method's check; the list is `headroom check row --list`. */
  check: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{0,63}$/, { error: "expected a method's short name" })
    .default('category-aware-semantic-cache'),
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(1),
});
export type CheckParams = z.output<typeof checkParams>;
