import { makeShaderDataDefinitions, makeStructuredView, type StructuredView } from 'webgpu-utils';
import type { AttentionShape } from '../spec/kinds/attention';
import mapBaseSource from './kernels/map-base.wgsl';
import paramsSource from './kernels/params.wgsl';

const attention = makeShaderDataDefinitions(paramsSource).structs.Params!;
// Only the struct: the rest of the file includes others, which reflection does not resolve.
const mapStruct = mapBaseSource.slice(
  mapBaseSource.indexOf('struct MapParams'),
  mapBaseSource.indexOf('}') + 1,
);
const map = makeShaderDataDefinitions(mapStruct).structs.MapParams!;

/** The part of `Params` that changes from dispatch to dispatch. */
export interface DispatchParams {
  readonly blockStart?: number;
  readonly headStart?: number;
  readonly splits?: number;
  readonly entriesPerSplit?: number;
}

export interface MapParams {
  readonly rows: number;
  readonly columns: number;
  readonly batch: number;
  readonly head: number;
  readonly rowStart: number;
}

/** A view of `Params` with the sizes of one call set; strides count rows per batch, 0 where shared. */
export function attentionParamsView(
  shape: AttentionShape,
  strides: { readonly listStride: number; readonly rangeStride: number },
): StructuredView {
  const view = makeStructuredView(attention);
  view.set({
    queries: shape.queries,
    keys: shape.keys,
    queryHeads: shape.queryHeads,
    kvHeads: shape.kvHeads,
    headVectors: shape.headSize / 4,
    rows: shape.batch * shape.queryHeads * shape.queries,
    scale: 1 / Math.sqrt(shape.headSize),
    ...strides,
  });
  return view;
}

export function mapParamsView(values: MapParams): StructuredView {
  const view = makeStructuredView(map);
  view.set(values);
  return view;
}
