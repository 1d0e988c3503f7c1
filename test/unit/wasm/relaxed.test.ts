import { setFlagsFromString } from 'node:v8';
import { expect, it, vi } from 'vitest';

// Every case of attention and of the linear rules again, with the binary that this Node does not
// choose by itself: the relaxed one in Node 20, where a flag lets it compile, else the plain one.
vi.mock('../../../lib/wasm/relaxed-simd', async (importOriginal) => {
  const real = await importOriginal<typeof import('../../../lib/wasm/relaxed-simd')>();
  const isRelaxed = !real.hasRelaxedSimd();
  if (isRelaxed) setFlagsFromString('--experimental-wasm-relaxed-simd');
  return { ...real, hasRelaxedSimd: () => isRelaxed };
});

const { hasRelaxedSimd } = await import('../../../lib/wasm/relaxed-simd');
const { kernelBinary } = await import('../../../lib/wasm/module');

it('runs another binary', () => {
  const chosen = Buffer.from(kernelBinary(false));
  expect(chosen.equals(Buffer.from(kernelBinary(false, hasRelaxedSimd())))).toBe(true);
  expect(chosen.equals(Buffer.from(kernelBinary(false, !hasRelaxedSimd())))).toBe(false);
  expect(WebAssembly.validate(chosen)).toBe(true);
});

await import('./attention.test');
await import('./functions.test');
await import('./long-lists.test');
await import('./recurrent.test');
