import { openPolicySession } from '../../../lib/cache/policy/run';
import type { SessionFactory } from '../../../lib/cache/types';
import { cachePolicy } from '../../../lib/spec/cache-policy';

/** The full cache in f16: what policies that hold their rows in f16 must equal where they lose nothing. */
export const fullHalfSession: SessionFactory = {
  label: 'full cache in f16',
  open: (model) =>
    openPolicySession(
      cachePolicy.parse({ budget: { type: 'ratio', share: 1 }, action: { type: 'none' } }),
      model,
    ),
};
