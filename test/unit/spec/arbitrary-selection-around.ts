import fc from 'fast-check';
import { composedSelection } from '../../../lib/spec/kinds/selection-parts';
import { int } from './arbitrary-basics';
import { composedParts } from './arbitrary-selection';

/** Orders of keys; segments that blocks may not divide are among them. */
export const orders = fc.record(
  { segmentTokens: int(1, 16).map((n) => n * 8), windowQueries: int(1, 99) },
  { requiredKeys: [] },
);

/** Parts with an order of keys that go together. */
export const orderedParts = fc
  .tuple(composedParts, orders)
  .map(([parts, order]) => ({ ...parts, order }))
  .filter((each) => composedSelection.safeParse(each).success);
