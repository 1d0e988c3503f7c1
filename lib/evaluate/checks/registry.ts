import { BASELINE_CHECKS } from './baselines';
import { CODING_CHECKS } from './coding';
import { DEPTH_CHECKS } from './depth';
import { EVICTING_CHECKS } from './evicting';
import { HEAD_CHECKS } from './heads';
import { PLACEMENT_CHECKS } from './layer-placement';
import { MERGING_CHECKS } from './merging';
import { REPRESENTING_CHECKS } from './representing';
import { REREADING_CHECKS } from './rereading';
import { RETRIEVING_CHECKS } from './retrieving';
import { REUSING_CHECKS } from './reusing';
import { SPECULATING_CHECKS } from './speculating';
import type { CacheCheck } from './types';

/** Every check of a cache policy or a way to decode, by its short name. */
export const CACHE_CHECKS: ReadonlyMap<string, CacheCheck> = new Map(
  [
    BASELINE_CHECKS,
    EVICTING_CHECKS,
    HEAD_CHECKS,
    PLACEMENT_CHECKS,
    MERGING_CHECKS,
    REPRESENTING_CHECKS,
    CODING_CHECKS,
    RETRIEVING_CHECKS,
    DEPTH_CHECKS,
    REUSING_CHECKS,
    REREADING_CHECKS,
    SPECULATING_CHECKS,
  ].flatMap((checks) => checks.map((check) => [check.id, check] as const)),
);
