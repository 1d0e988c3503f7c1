import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { partNotes, STARTS, startOf, startParts } from '../../../app/cells/selection-parts';
import { partsOf } from '../../../lib/attention/select/parts-of';
import { attentionSelection } from '../../../lib/spec/kinds/selection';
import { type ComposedSelection, composedSelection } from '../../../lib/spec/kinds/selection-parts';
import { composedParts } from '../spec/arbitrary-selection';

type Parts = Readonly<Record<string, unknown>>;

/** Single changes of the form that lead towards the target: a type first, then what it has. */
function changesTowards(from: Parts, to: Parts): readonly Parts[] {
  return Object.entries(to).flatMap(([name, wanted]): readonly Parts[] => {
    const given = from[name];
    if (JSON.stringify(given) === JSON.stringify(wanted)) return [];
    if (typeof wanted !== 'object' || wanted === null) return [{ ...from, [name]: wanted }];
    // A part that may be left out comes as a whole.
    if (given === undefined) return [{ ...from, [name]: wanted }];
    const [before, after] = [given as Parts, wanted as Parts];
    if (before.type !== after.type) return [{ ...from, [name]: { type: after.type } }];
    return changesTowards(before, after).map((each) => ({ ...from, [name]: each }));
  });
}

describe('the form of a composed selection', () => {
  it('starts from every preset that the parts can say', () => {
    const types = attentionSelection.options.map(({ shape }) => shape.type.value);
    const said = types.filter(
      (type) =>
        type !== 'composed' &&
        partsOf(attentionSelection.parse({ type }), true)?.type === 'composed',
    );
    expect(STARTS.toSorted()).toEqual(said.toSorted());
  });

  test.each(STARTS)('names %s by its parts, and another number makes them own', (start) => {
    // PBS-Attn is defined for causal heads only.
    for (const isCausal of start === 'pbs' ? [true] : [true, false]) {
      const parts = startParts(start, isCausal) as ComposedSelection;
      expect(startOf(parts, isCausal)).toBe(start);
      expect(startOf({ ...parts, queryBlockTokens: 504 }, isCausal)).toBeUndefined();
    }
  });

  test.each(STARTS)('leads from its first parts to those of %s, one change at a time', (start) => {
    const target = startParts(start, true) as ComposedSelection;
    let parts = composedSelection.parse({ type: 'composed' });
    for (let step = 0; JSON.stringify(parts) !== JSON.stringify(target); step++) {
      const taken = changesTowards(parts, target)
        .map((each) => composedSelection.safeParse(each))
        .find(({ success }) => success);
      if (taken?.data === undefined || step > 30) expect.fail(`stuck at ${JSON.stringify(parts)}`);
      parts = taken.data;
    }
  });

  it('has a note for every part, whatever the parts', () => {
    fc.assert(
      fc.property(composedParts, (given) => {
        const notes = Object.values(partNotes(composedSelection.parse(given)));
        expect(notes).toHaveLength(6);
        for (const note of notes) expect(note).toMatch(/^[a-z][^.]+$/);
      }),
    );
  });
});
