import type { BatchFeatures, CostModel } from '../types';

/**
 * A cost model for a changed model or batch that it was not measured on: its own time for the plain
 * batch, times what a roofline says of the change.
 *
 * @param plain roofline of the model that `base` was measured on
 * @param changed roofline of the changed one; it alone sees `queriesPerDecode`
 */
export function relativeCostModel(
  base: CostModel,
  plain: Pick<CostModel, 'iterationSeconds'>,
  changed: Pick<CostModel, 'iterationSeconds'>,
  label: string,
): CostModel {
  const ratio = (f: BatchFeatures): number => {
    const { queriesPerDecode } = f;
    const seconds = changed.iterationSeconds(f);
    f.queriesPerDecode = 1;
    const before = plain.iterationSeconds(f);
    if (queriesPerDecode !== undefined) f.queriesPerDecode = queriesPerDecode;
    return seconds / before;
  };
  return {
    kind: base.kind,
    label: `${base.label}, ${label} by the ratio of rooflines`,
    source: base.source,
    ...(base.readsDecodeRange === true ? { readsDecodeRange: true } : {}),
    ...(base.extrapolation === undefined ? {} : { extrapolation: base.extrapolation }),
    iterationSeconds: (f) => base.iterationSeconds(f) * ratio(f),
  };
}
