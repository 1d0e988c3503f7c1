import type { CacheSession, SessionFactory } from '../cache/types';
import type { Transformer } from '../transformer/types';
import type { Drafter } from './types';

const NOTHING: ReadonlySet<number> = new Set();

/** A drafter over a compressed cache, with the session that holds it. */
export interface PolicyDrafter extends Drafter {
  /** The drafter's own cache, for its bytes; absent before the first text. */
  session(): CacheSession | undefined;
}

/**
 * Self-speculation: the same model over a cache that a policy has compressed drafts for the full
 * cache. The session offers no way back to the middle of an answer, so every draft rewinds to the
 * context and reads the question and the accepted tokens again, in one call; that call is counted.
 *
 * @param known the policy sees the question when it compresses
 */
export function policyDrafter(
  model: Transformer,
  policy: SessionFactory,
  { known = false }: { readonly known?: boolean } = {},
): PolicyDrafter {
  let session: CacheSession | undefined;
  let asked: readonly number[] = [];
  return {
    label: `${policy.label} as drafter`,
    session: () => session,
    begin({ context, question }) {
      asked = question;
      session = policy.open(model);
      session.prefill(context, known ? { question } : {});
    },
    propose(generated, count) {
      if (!session) throw new Error('cannot propose before begin');
      session.rewind();
      const tokens = session.ask([...asked, ...generated], count, NOTHING);
      return { tokens, modelCalls: Math.max(1, tokens.length) };
    },
  };
}
