import type { ComposeParams } from '../../spec/kinds/compose';
import type { RawTensors } from './encode-heads';
import { rowReference } from './row-reference';

/** Another attention that a composition is set beside. */
export interface Comparison {
  readonly name: string;
  readonly row: ReturnType<typeof rowReference>;
}

/**
 * Full attention at absolute positions, and the same composition without the params' position rule
 * or without their RoPE scaling, where there is one.
 *
 * @param isCausal no part sees a key after its query
 */
export function comparisonsOf(
  params: ComposeParams,
  raw: RawTensors,
  gates: ArrayLike<number> | undefined,
  isCausal: boolean,
): readonly Comparison[] {
  const type = isCausal ? ('causal' as const) : ('dense' as const);
  const comparisons: Comparison[] = [
    {
      name: `${type} full attention`,
      row: rowReference(
        {
          ...params,
          parts: [
            { name: 'full', variant: { type }, channels: 'all', temperature: 1, lseScale: 1 },
          ],
          rule: { type: 'merge', overlaps: 'refuse' },
          sink: { type: 'none' },
          positions: { type: 'absolute' },
        },
        raw,
        undefined,
      ),
    },
  ];
  if (params.positions.type !== 'absolute') {
    comparisons.push({
      name: 'the same keys at absolute positions',
      row: rowReference(params, raw, gates, { atTextPositions: true }),
    });
  }
  const { encoding } = params;
  if ((encoding.type === 'rope' || encoding.type === 'xpos') && encoding.scaling.type !== 'none') {
    comparisons.push({
      name: 'the same without RoPE scaling',
      row: rowReference(
        { ...params, encoding: { ...encoding, scaling: { type: 'none' } } },
        raw,
        gates,
      ),
    });
  }
  return comparisons;
}
