import { describe, expect, test } from 'vitest';
import { ATTENTION_CASES } from '../../../lib/attention/cases';
import { makeInputs } from '../../../lib/attention/inputs';
import { withWords } from '../../../lib/gpu/mask-bits';
import { packBlockList } from '../../../lib/gpu/packed-list';
import { type AttentionPlan, type PrefillPlan, planById } from '../../../lib/gpu/plans';
import { attentionParams } from '../../../lib/spec/kinds/attention';

const plan = planById('texels-8x4') as PrefillPlan;
const roomOf = (of: AttentionPlan, inputs: ReturnType<typeof makeInputs>, blockQueries = 32) =>
  withWords(of, inputs.program, packBlockList(inputs, blockQueries, 32, inputs.shape.queryHeads));

describe('room for the bits of partial blocks', () => {
  const tables = ATTENTION_CASES.filter(({ name }) => /document|table/.test(name));

  test.each(tables.map(({ name, params }) => [name, params] as const))(
    'a word per query row and partial block, none of them twice: %s',
    (_, params) => {
      const words = roomOf(plan, makeInputs(params));
      if (words === undefined) throw new Error('no room');
      const { list, entries, wordRows } = words;
      expect(entries.subarray(0, wordRows)).toEqual(list.entries);
      const taken = new Uint8Array(entries.length);
      for (let row = 0; row + 1 < list.rows.length / 2; row++) {
        if (row % (list.queryBlocks + 1) === list.queryBlocks) continue;
        const partial = list.rows[2 * row + 2]! - list.rows[2 * row]! - list.rows[2 * row + 1]!;
        const first = entries[wordRows + row]!;
        for (let i = first; i < first + partial * plan.blockQueries; i++) taken[i]!++;
      }
      const head = wordRows + list.rows.length / 2;
      expect(taken.subarray(0, head).every((each) => each === 0)).toBe(true);
      expect(taken.subarray(head).every((each) => each === 1)).toBe(true);
      expect(entries.length - head).toBe(list.partial * plan.blockQueries);
    },
  );

  test('none where the formula is as cheap, where a plan takes no bits, or where they are too many', () => {
    const byName = (name: string) =>
      makeInputs(ATTENTION_CASES.find((each) => each.name === name)!.params);
    expect(roomOf(plan, byName('n = 65 causal'))).toBeUndefined();
    expect(roomOf(plan, byName('n = 63 dense'))).toBeUndefined();
    const documents = byName('documents, causal');
    expect(roomOf(planById('quad-8x16'), documents, 128)).toBeUndefined();
    expect(roomOf(planById('tile-32x32'), documents)).toBeUndefined();
    const inputs = makeInputs(
      attentionParams.parse({
        shape: { queryHeads: 1, kvHeads: 1, queries: 40, keys: 40, headSize: 4 },
        variant: { type: 'documents', meanDocumentTokens: 3, causal: true },
      }),
    );
    const list = packBlockList(inputs, 32, 32, 1);
    expect(withWords(plan, inputs.program, { ...list, partial: 2 ** 16 + 1 })).toBeUndefined();
    expect(withWords(plan, inputs.program, list)).toBeDefined();
  });
});
