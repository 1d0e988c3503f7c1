import { describe, expect, test } from 'vitest';
import { newComposed, otherActions, SCORERS, scorerName } from '../../../app/cells/policy-parts';
import { checkPolicy } from '../../../lib/cache/policy/checks';
import { ACTION_NAMES, isDefined, withAction } from '../../../lib/cache/policy/with-action';
import { POLICIES } from '../../../lib/evaluate/policies';
import { POLICY_FAMILIES, policyNotice } from '../../../lib/evaluate/policy-families';
import { cachePolicy } from '../../../lib/spec/cache-policy';
import { cacheEntry } from '../../../lib/spec/kinds/cache';
import { cachePolicySchema, type JsonSchema, leastValue } from '../../../lib/spec/ranges';
import { RECALL_SHAPE } from '../../../lib/transformer/recall';

const composed = newComposed([]);

describe('a composed policy', () => {
  test.each(ACTION_NAMES)('takes the action %s in one step and keeps its scorer', (name) => {
    const policy = withAction(composed.policy, name);
    expect(policy.action.type).toBe(name);
    expect(policy.scorer).toEqual(composed.policy.scorer);
    const errors = checkPolicy(policy, { config: RECALL_SHAPE, contextTokens: 256 }).filter(
      ({ severity }) => severity === 'error',
    );
    expect(errors).toEqual([]);
  });

  test.each(ACTION_NAMES)('of any scorer and trigger runs with the action %s', (name) => {
    for (const { id, parts } of POLICIES.values()) {
      const own = parts?.({ type: 'ratio', share: 0.25 });
      // Positions of slots cannot be kept by what comes back, nor one basis by heads of unlike numbers.
      if (own?.position.type !== 'absolute') continue;
      if (name === 'project' && /ada|classes/.test(own.allocator.type)) continue;
      const errors = checkPolicy(withAction(own, name), { config: RECALL_SHAPE })
        .filter(({ severity }) => severity === 'error')
        .map(({ message }) => message);
      expect(errors, id).toEqual([]);
    }
  });

  test('is offered no action that cannot run', () => {
    expect(ACTION_NAMES).toEqual(
      expect.arrayContaining([
        'evict',
        'quantise',
        'merge',
        'compensate',
        'project',
        'offload',
        'recompute',
      ]),
    );
    for (const name of ACTION_NAMES) expect(isDefined(name)).toBe(true);
  });

  test('stands beside the same with every other action', () => {
    const others = otherActions(composed);
    expect(others.map(({ policy }) => policy.action.type)).not.toContain('evict');
    expect(new Set(others.map(({ label }) => label)).size).toBe(others.length);
    for (const entry of others) expect(cacheEntry.parse(entry)).toEqual(entry);
  });

  test.each(Object.entries(SCORERS))('knows the scorer %s again', (name, scorer) => {
    expect(scorerName(cachePolicy.parse({ ...composed.policy, scorer }).scorer)).toBe(name);
  });
});

/** Every option of every union below a schema. */
function optionsBelow(schema: JsonSchema): JsonSchema[] {
  const options = schema.oneOf ?? schema.anyOf ?? [];
  const fields = Object.values(schema.properties ?? {});
  return [
    ...options,
    ...[...options, ...fields, ...(schema.items ? [schema.items] : [])].flatMap(optionsBelow),
  ];
}

test('the form can begin every part of a policy: its least value is one', () => {
  const { properties = {} } = cachePolicySchema();
  for (const [part, schema] of Object.entries(properties)) {
    for (const option of schema.oneOf ?? []) {
      const value = leastValue(option);
      const parsed = cachePolicy.safeParse({ budget: composed.policy.budget, [part]: value });
      expect(parsed.success, `${part}: ${JSON.stringify(value)}`).toBe(true);
    }
  }
  expect(optionsBelow(cachePolicySchema()).length).toBeGreaterThan(50);
});

describe('families', () => {
  test('have every policy once, and none is left over', () => {
    const ids = POLICY_FAMILIES.flatMap(({ entries }) => entries.map(({ id }) => id));
    expect(ids.toSorted()).toEqual([...POLICIES.keys()].toSorted());
    expect(POLICY_FAMILIES.map(({ name }) => name)).not.toContain('others');
  });

  test('tell oracles, and choices by queries where the question is hidden', () => {
    const notice = (id: string, protocol: string) => policyNotice(POLICIES.get(id)!, protocol);
    expect(notice('oracle-top-k', 'known')).toMatch(/oracle/);
    expect(notice('snapkv', 'hidden')).toMatch(/question hidden/);
    expect(notice('snapkv', 'known')).toBeUndefined();
    expect(notice('int4', 'known')).toMatch(/share is not used/);
  });
});
