import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createFullCache } from '../../../lib/transformer/full-cache';
import { prefill } from '../../../lib/transformer/generate';
import { openModel } from '../../../lib/transformer/load/open-model';
import { referenceTransformer } from '../../../lib/transformer/reference';
import { GOLDEN_MODELS, GOLDEN_TOKENS } from './golden-models';
import { tinyFiles, tinyTensors } from './tiny-model';

const FILE = new URL('../../fixtures/golden-logits.json', import.meta.url);
const golden: Readonly<Record<string, readonly number[]>> = JSON.parse(readFileSync(FILE, 'utf8'));

test('the file has every model', () => {
  expect(Object.keys(golden).sort()).toEqual(Object.keys(GOLDEN_MODELS).sort());
});

test.each(Object.entries(GOLDEN_MODELS))('%s: logits are those of PyTorch', async (name, json) => {
  const opened = await openModel(tinyFiles({ config: json, tensors: tinyTensors(json) }));
  const model = referenceTransformer(opened.config, await opened.load());
  const logits = prefill(model, createFullCache(opened.config), GOLDEN_TOKENS, 0, {
    chunkTokens: 16,
  });
  const wanted = golden[name]!;
  expect(logits).toHaveLength(wanted.length);
  const differences = wanted.map((value, i) => Math.abs(value - logits[i]!));
  expect(Math.max(...differences)).toBeLessThan(2e-5);
  // Logits that hardly differ would agree with anything.
  expect(Math.max(...wanted) - Math.min(...wanted)).toBeGreaterThan(3);
});
