import fc from 'fast-check';
import { composedSelection } from '../../../lib/spec/kinds/selection-parts';
import { int } from './arbitrary-basics';

const tokens = int(1, 8).map((n) => n * 8);
const share = fc.double({ min: 0.01, max: 1, noNaN: true });
const reduction = fc.constantFrom('max', 'mean', 'sum');

/** Parts in any combination, as a document may hold them. */
export const anyParts = fc.record(
  {
    type: fc.constant('composed'),
    blockTokens: fc.oneof(tokens, fc.constantFrom(2, 4, 12)),
    queryBlockTokens: tokens,
    summariser: fc.oneof(
      fc.constantFrom({ type: 'mean' }, { type: 'every-key' }, { type: 'representative' }),
      fc.record({ type: fc.constant('bounds'), partTokens: tokens }),
      fc.record({
        type: fc.constant('sliding-mean'),
        partTokens: tokens,
        strideTokens: tokens,
      }),
      fc.record({
        type: fc.constant('representative'),
        token: fc.constantFrom('first', 'centre', 'last'),
      }),
      fc.record({ type: fc.constant('low-bit'), bits: int(2, 8) }),
    ),
    scorer: fc.oneof(
      fc.constantFrom({ type: 'mean-query' }, { type: 'every-query' }),
      fc.record({ type: fc.constant('window'), windowQueries: int(1, 99) }),
      fc.record({ type: fc.constant('antidiagonal'), stride: fc.constantFrom(1, 2, 3, 4, 8) }),
    ),
    reducer: fc.record(
      {
        of: fc.constantFrom('scores', 'probabilities'),
        keys: reduction,
        queries: reduction,
      },
      { requiredKeys: [] },
    ),
    selector: fc.oneof(
      fc.record({ type: fc.constant('none'), unit: fc.constantFrom('token', 'block') }),
      fc.record({ type: fc.constant('top-k'), blocks: int(1, 9) }),
      fc.record({ type: fc.constant('top-p'), share }),
      fc.record({
        type: fc.constant('threshold'),
        of: fc.constantFrom('maximum', 'mass', 'forced'),
        share,
      }),
      fc.record({ type: fc.constant('line-top-k'), columns: int(0, 70), diagonals: int(0, 70) }),
      fc.record({ type: fc.constant('line-top-p'), share, leastLines: int(0, 70) }),
      fc.record({
        type: fc.constant('line-cover'),
        share,
        kinds: fc.constantFrom('both', 'columns'),
      }),
      fc.record({ type: fc.constant('tree'), blocks: int(1, 40), branch: int(2, 5) }),
    ),
    forced: fc.record(
      { sinkTokens: int(0, 40), recentTokens: int(0, 40), windowTokens: int(0, 40) },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ['type'] },
);

/** Parts that go together. */
export const composedParts = anyParts.filter((each) => composedSelection.safeParse(each).success);
