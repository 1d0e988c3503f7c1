import { describe, expect, it, test } from 'vitest';
import { METHODS, methodNotebook } from '../../../lib/methods/methods';
import { parseNotebook } from '../../../lib/spec/validate';
import { ATTENTION_METHOD_IDS } from './attention-ids';
import { runSmall } from './small-cells';

const KERNELS = ['attention', 'compose', 'decode', 'recurrent'];

/** Whether a result says that it is as far from f64 as f32 explains; the reference has no error. */
function isRight(value: unknown): boolean {
  const { error, storages } = value as {
    readonly error?: { readonly withinTolerance?: boolean };
    readonly storages?: readonly { readonly kernelError?: { readonly withinTolerance: boolean } }[];
  };
  if (storages !== undefined) return storages.every((each) => each.kernelError?.withinTolerance);
  return error === undefined || error.withinTolerance === true;
}

describe.each(ATTENTION_METHOD_IDS)('%s', (id) => {
  const method = METHODS.find((each) => each.id === id);

  it('is a method whose kernel cells run on small tensors, right and with a map', async () => {
    if (method === undefined) throw new Error(`no method ${id}`);
    const notebook = methodNotebook(method);
    expect(parseNotebook(notebook).ok).toBe(true);
    expect(notebook.cells.some(({ kind }) => KERNELS.includes(kind))).toBe(true);
    const runs = await runSmall(method);
    expect(runs).toHaveLength(notebook.cells.filter(({ kind }) => KERNELS.includes(kind)).length);
    for (const { value, map } of runs) {
      expect(isRight(value)).toBe(true);
      if (map !== undefined) {
        const seen = Array.from(map.max).filter((each) => !Number.isNaN(each));
        expect(seen.some((each) => each !== 0)).toBe(true);
      }
    }
  });
});

test('the list has no id twice', () => {
  expect(new Set(ATTENTION_METHOD_IDS).size).toBe(ATTENTION_METHOD_IDS.length);
});
