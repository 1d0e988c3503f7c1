import { readRecorded } from '../../lib/run/recorded';
import type { Session } from '../../lib/run/session-types';

/** Results that were computed before and travel with the page; without them the notebook just has not run. */
export async function loadRecorded(session: Session, slug: string): Promise<void> {
  const response = await fetch(
    `${process.env.HEADROOM_BASE_PATH ?? ''}/recorded/${slug}.json`,
  ).catch(() => undefined);
  if (response?.ok !== true) return;
  const text = await response.text();
  session.loadRecorded(readRecorded(text));
}
