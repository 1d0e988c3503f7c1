import { CACHE_METHODS } from './cache-methods';
import { CHECKED_ELSEWHERE } from './serving-cells';
import type { Method } from './types';

/** Methods of other parts whose cache policy has a check. */
const OF_OTHER_PARTS: readonly string[] = [
  'streaming-llm',
  'duo-attention',
  'razor-attention',
  'lserve',
  'longgen',
  'ape',
  'jrt',
];

/** Policies that go by another name than their paper here. */
const POLICY_NAMES: Readonly<Record<string, string>> = {
  'elastic-cache-mm': 'elastic-cache',
  'v-rex-resv': 'v-rex',
  'jacobi-forcing': 'jacobi',
  quickprefill: 'key-norm',
};

const CHECKED: ReadonlySet<string> = new Set([
  ...CACHE_METHODS.map(({ id }) => id),
  ...OF_OTHER_PARTS,
]);

/** The check of a method's cache policy, as the list of checks names it; undefined without one. */
export function cacheCheckOfMethod(id: string): string | undefined {
  if (!CHECKED.has(id)) return undefined;
  const policy = POLICY_NAMES[id] ?? id;
  return CHECKED_ELSEWHERE.some((each) => each === policy) ? `${policy}.cache` : policy;
}

/** A method of the cache lab with its faithful small check. */
export function withCacheCheck(method: Method): Method {
  const check = cacheCheckOfMethod(method.id);
  if (check === undefined) return method;
  return {
    ...method,
    cells: [...method.cells, { id: 'small-check', kind: 'check', params: { check } }],
  };
}
