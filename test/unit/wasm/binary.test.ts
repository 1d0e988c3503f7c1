import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { BLOCK_KEYS, BLOCK_QUERIES, MAX_HEAD_SIZE, SCRATCH_BYTES } from '../../../lib/wasm/layout';
import { instantiateKernel, kernelBinary } from '../../../lib/wasm/module';

const ROOT = new URL('../../..', import.meta.url).pathname;

const hasCompiler = existsSync(`${ROOT}node_modules/assemblyscript`);
if (!hasCompiler) console.warn('SKIPPED: assemblyscript is not installed, binaries not recompiled');
it.skipIf(!hasCompiler).each([
  ['attention', false],
  ['attention-relaxed', true],
])('%s is what the sources compile to', async (name, isRelaxed) => {
  const { compileKernels } = await import('../../../lib/tools/build-wasm.mjs');
  const compiled = Buffer.from(await compileKernels(name));
  expect(compiled.equals(Buffer.from(kernelBinary(false, isRelaxed)))).toBe(true);
});

it('the plain binary compiles wherever SIMD does', () => {
  for (const isShared of [false, true]) {
    expect(WebAssembly.validate(kernelBinary(isShared, false))).toBe(true);
  }
});

it('has the constants of the layout', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536 });
  const kernel = instantiateKernel(memory, () => {});
  expect(kernel.BLOCK_QUERIES.value).toBe(BLOCK_QUERIES);
  expect(kernel.BLOCK_KEYS.value).toBe(BLOCK_KEYS);
  expect(kernel.MAX_HEAD_SIZE.value).toBe(MAX_HEAD_SIZE);
  expect(kernel.SCRATCH_BYTES.value).toBe(SCRATCH_BYTES);
});
