import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createWasmTransformer } from '../../../lib/wasm/transformer';
import { transformerBinary } from '../../../lib/wasm/transformer-kernel';
import { TRANSFORMER_CASES } from '../../transformer/cases';
import { compareEngines } from '../../transformer/compare-engines';

const ROOT = new URL('../../..', import.meta.url).pathname;

describe('transformer', () => {
  it.each(TRANSFORMER_CASES)('computes what the reference does: $name', (one) => {
    const difference = compareEngines(one, ({ config, weights }) =>
      createWasmTransformer(config, weights),
    );
    if (process.env.SHOW_DIFFERENCES)
      process.stderr.write(`${one.name} ${JSON.stringify(difference)}\n`);
    expect(difference.logits).toBeLessThan(1e-4);
    expect(difference.hidden).toBeLessThan(1e-4);
    expect(difference.weights).toBeLessThan(1e-5);
    expect(difference.queries).toBeLessThan(1e-4);
  });
});

describe('binary of the transformer', () => {
  const hasCompiler = existsSync(`${ROOT}node_modules/assemblyscript`);
  if (!hasCompiler) console.warn('SKIPPED: assemblyscript is not installed, binary not recompiled');
  it.skipIf(!hasCompiler)('is what the sources compile to', async () => {
    const { compileKernels } = await import('../../../lib/tools/build-wasm.mjs');
    const compiled = Buffer.from(await compileKernels('transformer'));
    expect(compiled.equals(Buffer.from(transformerBinary()))).toBe(true);
  });
});
