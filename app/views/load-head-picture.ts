import { classifyPattern, type HeadPattern } from '../../lib/attention/pattern-class';
import { baseLayer, type MapLayer, subtractLayers } from '../../lib/views/map/layer';
import type { MapOperand } from './map-operand';

/** A head at a glance. */
export interface HeadPicture {
  readonly layer: MapLayer;
  /** Undefined of a difference. */
  readonly pattern: HeadPattern | undefined;
}

/** Reads the reduction of a head of one operand or two, after pending jobs. */
export async function loadHeadPicture(
  first: MapOperand,
  second: MapOperand | undefined,
  batch: number,
  head: number,
  aggregate: 'max' | 'mean',
): Promise<HeadPicture> {
  const baseOf = ({ source }: MapOperand) =>
    source.lane('heads', { isBackground: true }).base(batch, head);
  const [base, other] = await Promise.all([baseOf(first), second && baseOf(second)]);
  const layer = baseLayer(base, aggregate);
  return other === undefined
    ? { layer, pattern: classifyPattern(base) }
    : { layer: subtractLayers(layer, baseLayer(other, aggregate)), pattern: undefined };
}
