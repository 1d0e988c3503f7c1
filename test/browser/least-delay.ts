/** The product's limit: a cancel arrives within these milliseconds. */
export const CANCEL_MILLISECONDS = 100;

const ATTEMPTS = 8;

/** How a cancelled call ended, and how long after the cancel. */
export interface Cancelled {
  readonly error: string | undefined;
  readonly milliseconds: number;
}

/**
 * The soonest end of several attempts, as soon as one is within the limit. A machine that is busy
 * with others delays some attempts; a job that does not look for its cancel delays all of them.
 */
export async function soonestCancel(
  attempt: (index: number) => Promise<Cancelled>,
): Promise<Cancelled> {
  let soonest = await attempt(0);
  for (let i = 1; i < ATTEMPTS && soonest.milliseconds >= CANCEL_MILLISECONDS; i++) {
    const next = await attempt(i);
    if (next.error !== soonest.error) return next;
    if (next.milliseconds < soonest.milliseconds) soonest = next;
  }
  return soonest;
}
