import type { AttentionProgram } from '../attention/program';
import type { AttentionShape } from '../spec/kinds/attention';
import mapBaseSource from './kernels/map-base.wgsl';
import paramsSource from './kernels/params.wgsl';
import { makeShaderDataDefinitions, makeStructuredView, type StructuredView } from './struct-views';

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
  readonly columnStart: number;
}

/** A view of `Params` with the sizes, numbers and tables of one call set; strides count list rows, 0 where shared. */
export function attentionParamsView(
  shape: AttentionShape,
  program: AttentionProgram,
  strides: {
    readonly listStride: number;
    readonly listHeadStride: number;
    readonly wordRows?: number;
  },
): StructuredView {
  const numbers = new Float32Array(8);
  numbers.set(program.numbers.map(({ value }) => value));
  const tables = new Uint32Array(32);
  let offset = 0;
  program.tables.forEach(({ values, batchStride, headStride, length }, i) => {
    tables.set([offset, batchStride, headStride, length], 4 * i);
    offset += values.length;
  });
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
    numbers,
    tables,
  });
  return view;
}

export function mapParamsView(values: MapParams): StructuredView {
  const view = makeStructuredView(map);
  view.set(values);
  return view;
}
