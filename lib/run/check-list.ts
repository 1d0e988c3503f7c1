import { CACHE_CHECKS } from '../evaluate/checks/registry';
import type { CacheCheck } from '../evaluate/checks/types';
import { ROW_CHECKS } from '../serving/checks/registry';
import type { RowCheck } from '../serving/checks/types';

/** Which part of the bench a check runs on. */
export type CheckLab = 'serving' | 'cache';

interface Listed {
  /** What a check cell and the command line call it. */
  readonly id: string;
  readonly title: string;
  readonly asks: string;
}

export type ListedCheck =
  | (Listed & { readonly lab: 'serving'; readonly check: RowCheck })
  | (Listed & { readonly lab: 'cache'; readonly check: CacheCheck });

const SERVING_IDS: ReadonlySet<string> = new Set(ROW_CHECKS.map(({ id }) => id));

/** The id of a policy's check: `snapkv`, and `lserve.cache` where a serving check has the name. */
export function cacheCheckId(policyId: string): string {
  return SERVING_IDS.has(policyId) ? `${policyId}.cache` : policyId;
}

/** Every check of both labs, each under an id of its own. */
export const CHECK_LIST: readonly ListedCheck[] = [
  ...[...CACHE_CHECKS.values()].map(
    (check): ListedCheck => ({
      id: cacheCheckId(check.id),
      lab: 'cache',
      title: check.title,
      asks: check.asks,
      check,
    }),
  ),
  ...ROW_CHECKS.map(
    (check): ListedCheck => ({
      id: check.id,
      lab: 'serving',
      title: check.title,
      asks: check.asks,
      check,
    }),
  ),
];

const BY_ID: ReadonlyMap<string, ListedCheck> = new Map(CHECK_LIST.map((each) => [each.id, each]));

export const isCheck = (id: string): boolean => BY_ID.has(id);

/** @throws Error naming the id and those there are */
export function listedCheck(id: string): ListedCheck {
  const found = BY_ID.get(id);
  if (found !== undefined) return found;
  throw new Error(`unknown check: "${id}" (expected one of ${[...BY_ID.keys()].join(', ')})`);
}
