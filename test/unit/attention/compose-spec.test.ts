import { describe, expect, it, test } from 'vitest';
import { findVisible } from '../../../lib/attention/compose/find-visible';
import { joinMasks } from '../../../lib/attention/compose/join-masks';
import { makeProgram } from '../../../lib/attention/program';
import { formatIssue } from '../../../lib/spec/issues';
import { attentionParams } from '../../../lib/spec/kinds/attention';
import { composeParams } from '../../../lib/spec/kinds/compose';
import { parseNotebook } from '../../../lib/spec/validate';

function messages(params: unknown): string[] {
  const parsed = parseNotebook({ version: 1, cells: [{ id: 'c', kind: 'compose', params }] });
  return parsed.ok ? [] : parsed.issues.map(formatIssue);
}

describe('compose params', () => {
  it('are complete by default', () => {
    expect(messages({})).toEqual([]);
    expect(composeParams.parse({}).parts.map(({ name }) => name)).toEqual(['recent', 'older']);
  });

  test.each([
    [
      { shape: { queries: 9, keys: 8 } },
      'invalid queries: 9 (expected at most 8, the keys) at cells[0].params.shape.queries',
    ],
    [{ parts: [] }, 'invalid parts: [] (expected at least 1 items) at cells[0].params.parts'],
    [
      { parts: [{ name: 'a' }, { name: 'a' }] },
      'invalid name: "a" (expected a name that no other part has) at cells[0].params.parts[1].name',
    ],
    [
      { parts: [{ name: 'a', temperature: 0 }] },
      'invalid temperature: 0 (expected 0.05..20) at cells[0].params.parts[0].temperature',
    ],
    [
      { parts: [{ name: 'a' }], rule: { type: 'difference' } },
      'invalid parts: [{"name":"a"}] (expected 2 for rule difference; add 1 first) at cells[0].params.parts',
    ],
    [
      { rule: { type: 'gate', gates: { type: 'values', values: [0, 1, 1] } } },
      'invalid values: [0,1,1] (expected 1 gate or 2, one per KV head) at cells[0].params.rule.gates.values',
    ],
    [
      {
        shape: { keys: 100, queries: 100 },
        positions: { type: 'shared-start', suffixKeys: 50 },
      },
      'invalid suffixKeys: 50 (expected at most 36, the keys after the prefix) at cells[0].params.positions.suffixKeys',
    ],
    [
      { parts: [{ name: 'a' }], rule: { type: 'latent', rank: 252, ropeSize: 8 } },
      'invalid rank: 252 (expected at most 248 beside ropeSize) at cells[0].params.rule.rank',
    ],
    [
      { parts: [{ name: 'a' }], rule: { type: 'latent' }, encoding: { type: 'alibi' } },
      'invalid encoding.type: "alibi" (expected none or rope for rule latent) at cells[0].params.encoding.type',
    ],
    [
      {
        shape: { headSize: 4 },
        parts: [{ name: 'a', channels: 'first-half' }],
        encoding: { type: 'rope', scaling: { type: 'ntk' } },
      },
      'invalid headSize: 4 (expected at least 8 for halves of a head with NTK scaling) at cells[0].params.shape.headSize',
    ],
  ])('say what does not fit: %j', (params, message) => {
    expect(messages(params)).toEqual([message]);
  });
});

describe('joined masks', () => {
  const shape = attentionParams.parse({ shape: { queries: 90, keys: 130 } }).shape;
  const program = (variant: unknown) => {
    const params = attentionParams.parse({ shape, variant, seed: 4 });
    return makeProgram(params);
  };
  const documents = program({ type: 'documents', meanDocumentTokens: 20 });
  const window = program({ type: 'sliding-window', windowTokens: 7 });
  const all = program({ type: 'dense' });

  test.each([
    ['and', (a: boolean, b: boolean) => a && b],
    ['or', (a: boolean, b: boolean) => a || b],
  ] as const)('%s is what its name says, element by element', (operation, join) => {
    for (const [a, b] of [
      [documents, window],
      [documents, documents],
      [window, all],
    ] as const) {
      const joined = joinMasks(shape, [a, b], operation);
      for (let q = 0; q < shape.queries; q++) {
        for (let k = 0; k < shape.keys; k++) {
          const expected = join(a.isVisible(0, 1, q, k), b.isVisible(0, 1, q, k));
          expect(joined.isVisible(0, 1, q, k)).toBe(expected);
        }
      }
    }
    expect(joinMasks(shape, [documents, documents], 'and').tables).toHaveLength(1);
  });

  it('are searched for the first pair, exactly or on a spread of rows', () => {
    const at = (query: number, key: number) =>
      program({
        type: 'formula',
        mask: ['q', query, '>=', 'k', key, '>=', 'and', 'q', 'k', '+', 7, 'mod', 0, '==', 'and'],
      });
    for (const [query, key] of [
      [40, 0],
      [77, 100],
      [129, 129],
    ] as const) {
      const searched = at(query, key);
      const pairs: [number, number][] = [];
      for (let q = 0; q < shape.queries; q++)
        for (let k = 0; k < shape.keys; k++)
          if (searched.isVisible(0, 0, q, k)) pairs.push([q + 40, k]);
      const { pair, isSampled } = findVisible(searched, shape);
      expect(isSampled).toBe(false);
      expect(pair && [pair.query, pair.key]).toEqual(pairs[0]);
    }
    expect(findVisible(at(0, 0), shape, 2000)).toMatchObject({ isSampled: true });
  });
});
