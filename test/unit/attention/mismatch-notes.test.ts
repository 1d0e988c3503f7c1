import { describe, expect, it } from 'vitest';
import { compareOutputs } from '../../../lib/attention/compare';
import { makeInputs } from '../../../lib/attention/inputs';
import { mismatchNotes } from '../../../lib/attention/mismatch-notes';
import { attentionParams } from '../../../lib/spec/kinds/attention';

const notesOf = (score: (string | number)[], change: (output: Float32Array) => void) => {
  const params = attentionParams.parse({
    shape: { queries: 8, keys: 8, queryHeads: 1, kvHeads: 1, headSize: 4 },
    variant: { type: 'formula', score },
  });
  const inputs = makeInputs(params);
  const output = new Float32Array(32);
  change(output);
  const error = compareOutputs(inputs, { output, lse: new Float32Array(8) }, { maxFlops: 1e9 });
  return mismatchNotes(inputs, error);
};

describe('what a result says of an output that is wrong', () => {
  it('names the part of the formula that may be to blame', () => {
    const [what, why] = notesOf(['score', 'k', 5, '-', 'log', '+'], () => undefined);
    expect(what).toMatch(/^output is no number at batch 0, head 0, query \d$/);
    expect(why).toBe('the score log of a value that may be 0 or below: log(k - 5)');
  });

  it('is the difference alone where the formula has no such part', () => {
    const notes = notesOf(['score'], (output) => output.fill(7));
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(/^output differs from the f64 reference by \d/);
  });
});
