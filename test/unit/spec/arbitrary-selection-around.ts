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

const rowStride = int(1, 40);
const criterion = fc.oneof(
  fc.record({ type: fc.constant('least-error'), rowStride }, { requiredKeys: ['type'] }),
  fc.record({ type: fc.constant('recall-per-flop'), rowStride }),
  fc.record({
    type: fc.constant('recall-at-density'),
    maxDensity: fc.double({ min: 0.01, max: 1, noNaN: true }),
    rowStride,
  }),
  fc.record(
    {
      type: fc.constant('divergence'),
      blockTokens: fc.constantFrom(8, 16, 24),
      tau: fc.double({ min: 0, max: 1, noNaN: true }),
    },
    { requiredKeys: ['type'] },
  ),
);

/** Ways of selecting that need no causality. */
const alternative = fc.oneof(
  composedParts,
  fc.constantFrom(
    { type: 'a-shape', sinkTokens: 2, windowTokens: 9 },
    { type: 'vertical-slash', columns: 5, diagonals: 4, forcedColumns: 1, forcedDiagonals: 2 },
    { type: 'block-sparse', topBlocks: 2, blockTokens: 16 },
    { type: 'flexprefill', blockTokens: 8, tau: 1, minBudgetTokens: 1 },
    { type: 'hip', keptTokens: 16 },
  ),
);

/** Two to four alternatives and a criterion that goes with their number. */
export const choices = fc
  .record({
    type: fc.constant('choice'),
    criterion,
    alternatives: fc.array(alternative, { minLength: 2, maxLength: 4 }),
  })
  .map((choice) => ({
    ...choice,
    alternatives:
      choice.criterion.type === 'divergence'
        ? choice.alternatives.slice(0, 2)
        : choice.alternatives,
  }));
