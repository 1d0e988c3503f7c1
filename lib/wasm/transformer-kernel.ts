import { TRANSFORMER_WASM_BASE64 } from './transformer-binary';

/** What the binary exports; parameters as `kernels/linear.ts` and its neighbours document them. */
export interface TransformerKernel {
  packKeys(from: number, to: number, paddedKeys: number, size: number): void;
  packQueries(from: number, to: number, rows: number, size: number): void;
  linearRows(
    x: number,
    weight: number,
    bias: number,
    out: number,
    rows: number,
    stride: number,
    inputs: number,
    panels: number,
    adds: number,
  ): void;
  linearRow(
    x: number,
    weight: number,
    bias: number,
    out: number,
    inputs: number,
    panels: number,
    adds: number,
  ): void;
  normRuns(
    x: number,
    out: number,
    weight: number,
    count: number,
    strideBytes: number,
    width: number,
    epsilon: number,
  ): void;
  gateWithSilu(gate: number, up: number, count: number): void;
  attendPart(
    queries: number,
    keys: number,
    values: number,
    positions: number,
    added: number,
    rowPositions: number,
    output: number,
    rowBytes: number,
    weights: number,
    statistics: number,
    scratch: number,
    count: number,
    queryCount: number,
    group: number,
    headSize: number,
    scale: number,
  ): void;
  partScratchBytes(count: number, headSize: number): number;
  readonly MAX_ROW_WISE: WebAssembly.Global;
}

let compiled: WebAssembly.Module | undefined;

/** The kernels' binary. */
export function transformerBinary(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(TRANSFORMER_WASM_BASE64), (character) => character.charCodeAt(0));
}

/** Binds the kernels to a memory that has a maximum. */
export function instantiateTransformer(memory: WebAssembly.Memory): TransformerKernel {
  compiled ??= new WebAssembly.Module(transformerBinary());
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
  return exports as unknown as TransformerKernel;
}
