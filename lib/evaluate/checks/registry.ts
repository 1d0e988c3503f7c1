import { EVICTING_CHECKS } from './evicting';
import { HEAD_CHECKS } from './heads';
import { REPRESENTING_CHECKS } from './representing';
import { RETRIEVING_CHECKS } from './retrieving';
import { REUSING_CHECKS } from './reusing';
import type { CacheCheck } from './types';

/** Every check of a cache policy, by the policy's id. */
export const CACHE_CHECKS: ReadonlyMap<string, CacheCheck> = new Map(
  [EVICTING_CHECKS, HEAD_CHECKS, REPRESENTING_CHECKS, RETRIEVING_CHECKS, REUSING_CHECKS].flatMap(
    (checks) => checks.map((check) => [check.id, check] as const),
  ),
);
