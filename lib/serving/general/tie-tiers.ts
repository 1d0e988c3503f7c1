import type { Reuse } from './reuse';
import type { State } from './state';

/** Ties stores to what happens to requests. */
export function tieTiers(state: State, reuse: Reuse | undefined, blockTokens: number): void {
  const tiers = reuse?.tiers;
  if (reuse === undefined || tiers === undefined) return;
  const { hooks } = state;
  const { onEntered, onCompleted } = hooks;
  hooks.onEntered = (replica, id) => {
    const before = onEntered(replica, id);
    if (before !== undefined) return before;
    return tiers.onEntered(replica, id, state.requests.processed[id] as number);
  };
  hooks.onCompleted = (replica, id) => {
    onCompleted(replica, id);
    // A decode replica has no cache to name its blocks: what it made goes to the shared stores.
    const { blockNames } = reuse;
    if (replica.cache !== undefined || blockNames === undefined) return;
    const blocks = Math.floor(((state.requests.totalTokens[id] as number) - 1) / blockTokens);
    for (let i = 0; i < blocks; i++) tiers.onMadeApart(blockNames.contentOf(id, i), blockTokens);
  };
}
