import { WASM_MATH } from './wasm-helpers';
import type { WasmValues } from './wasm-values';

/** A printed module and what it imports: plain data, sent to workers. */
export interface PrintedFormula {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly values: WasmValues;
}

/** Modules that are kept; a page seldom holds more structures than this at once. */
const MAX_MODULES = 32;

const modules = new Map<
  number,
  { readonly bytes: Uint8Array; readonly module: WebAssembly.Module }
>();
let compiles = 0;

/** Modules that this thread has compiled so far: a moved slider must not add to it. */
export const countModuleCompiles = (): number => compiles;

/** FNV-1a, 32 bits. */
function hash(bytes: Uint8Array): number {
  let value = 0x811c9dc5;
  for (const byte of bytes) value = Math.imul(value ^ byte, 0x01000193);
  return value >>> 0;
}

const areEqual = (a: Uint8Array, b: Uint8Array) =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);

/** The module of some bytes, compiled once and found again by their hash. */
function moduleOf(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  const key = hash(bytes);
  const known = modules.get(key);
  // Put back last, so that the first is the one not used for the longest time.
  modules.delete(key);
  if (known !== undefined && areEqual(known.bytes, bytes)) {
    modules.set(key, known);
    return known.module;
  }
  compiles++;
  const module = new WebAssembly.Module(bytes);
  modules.set(key, { bytes, module });
  const [oldest] = modules.keys();
  if (modules.size > MAX_MODULES && oldest !== undefined) modules.delete(oldest);
  return module;
}

/** The functions of `printWasm` over a memory, with the values of one call. */
export function instantiateFormula(
  { bytes, values }: PrintedFormula,
  memory: WebAssembly.Memory,
): WebAssembly.Exports {
  const imports = { env: { memory }, math: WASM_MATH, value: values };
  return new WebAssembly.Instance(moduleOf(bytes), imports).exports;
}
