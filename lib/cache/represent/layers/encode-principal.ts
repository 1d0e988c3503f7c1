import type { Encoded } from '../../types';
import { carried } from '../codecs/low-rank';
import { encodedPair } from '../encode';
import type { LayerRows } from '../layer-rows';
import type { Matrix } from '../matrix';
import { type FittedBasis, principalBasis, truncatedBasis } from './fit-basis';
import { greedyRanks } from './greedy-ranks';

interface Unit {
  readonly matrix: Matrix;
  readonly basis: FittedBasis;
}

/**
 * Every head's keys and values in leading principal components of their own, ranks given out over
 * all of them by the share of a matrix's variance that a direction explains (MatryoshkaKV, Lin et
 * al. 2024, from its untrained start). The bases are this prompt's, and counted.
 *
 * @param share of all directions that are kept, 0..1
 */
export function encodePrincipal(layers: readonly LayerRows[], share: number): Encoded[][] {
  const units = layers.map(({ heads }) =>
    heads.map((head) =>
      [head.keys, head.values].map((data): Unit => {
        const matrix = { rows: head.slots, columns: head.headSize, data };
        return { matrix, basis: principalBasis(matrix) };
      }),
    ),
  );
  const all = units.flat(2);
  const directions = all.reduce((sum, { basis }) => sum + basis.rank, 0);
  const ranks = greedyRanks(
    all.map(({ basis }) => basis.variances.map((v) => Math.max(0, v))),
    Math.round(share * directions),
    all.map(({ basis }) => 1 / (basis.variances.reduce((sum, v) => sum + Math.max(0, v), 0) || 1)),
  );
  const encoded = all.map(({ matrix, basis }, i) =>
    carried(truncatedBasis(basis, ranks[i]!))(matrix),
  );
  let at = 0;
  return units.map((heads) => heads.map(() => encodedPair(encoded[at++]!, encoded[at++]!)));
}
