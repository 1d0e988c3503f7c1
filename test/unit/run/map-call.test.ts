import { expect, it } from 'vitest';
import type { Board } from '../../../lib/run/board';
import { mapCall } from '../../../lib/run/map-call';
import { composeParams } from '../../../lib/spec/kinds/compose';
import { decodeParams } from '../../../lib/spec/kinds/decode';

/** A board on which one cell has a result. */
const boardOf = (output: object) =>
  ({ records: new Map([['c', { result: { output } }]]) }) as unknown as Board;

it('a composition is mapped with the gates of its KV heads, as the run resolved them', () => {
  const params = composeParams.parse({ shape: { queryHeads: 6, kvHeads: 2 } });
  const gated = [1, 1, 1, 0, 0, 0].map((gate, head) => ({ head, gate }));
  const call = mapCall(boardOf({ kind: 'compose', value: { params, heads: gated } }), 'c');
  expect(call).toEqual({ kind: 'compose', params, gates: [1, 0] });
  const heads = gated.map(({ head }) => ({ head, gate: undefined }));
  expect(mapCall(boardOf({ kind: 'compose', value: { params, heads } }), 'c')).toMatchObject({
    gates: undefined,
  });
});

it('a decode step is mapped over its keys as they were made', () => {
  const params = decodeParams.parse({});
  const call = mapCall(boardOf({ kind: 'decode', value: { params } }), 'c');
  expect(call).toEqual({ kind: 'decode', params, storage: 0 });
});

it('refuses a cell without a result of its kind', () => {
  expect(() => mapCall({ records: new Map() } as unknown as Board, 'c')).toThrow(
    'cell "c" has no attention result yet: run it first',
  );
});
