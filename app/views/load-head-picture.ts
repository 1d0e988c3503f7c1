import { classifyPattern, type HeadPattern } from '../../lib/attention/pattern-class';
import { baseLayer, layerTop, type MapLayer, subtractLayers } from '../../lib/views/map/layer';
import { isProbability, type MapOperand } from './map-operand';

/** A head at a glance. */
export interface HeadPicture {
  readonly layer: MapLayer;
  /** Largest magnitude of its scale. */
  readonly top: number;
  /** Undefined of a difference and of signed weights. */
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
  const own = baseLayer(base, aggregate, first.isSigned);
  const layer =
    other === undefined ? own : subtractLayers(own, baseLayer(other, aggregate, second?.isSigned));
  return {
    layer,
    top: layerTop(layer, aggregate, isProbability(first, second)),
    pattern: other === undefined && !first.isSigned ? classifyPattern(base) : undefined,
  };
}
