import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../lib/random/random';
import { SIBLING_NAMES, type SiblingName } from '../../../lib/spec/kinds/recall-gap';
import { loadSibling } from '../../../lib/transformer/load/sibling';
import { linear } from '../../../lib/transformer/reference';
import {
  readSiblingConfig,
  siblingLogits,
  siblingStateBytes,
} from '../../../lib/transformer/siblings';

const MODELS = new URL('../../../public/models/siblings/', import.meta.url);
/** The largest difference of a logit that PyTorch and this runtime may have. */
const TOLERANCE = 1e-3;

const golden = JSON.parse(
  readFileSync(new URL('../../fixtures/siblings.json', import.meta.url), 'utf8'),
) as Record<SiblingName, { tokens: number[]; lastLogits: number[] }>;

const load = (name: SiblingName) => {
  const blob = (file: string) => new Blob([readFileSync(new URL(`${name}/${file}`, MODELS))]);
  return loadSibling(blob('config.json'), blob('model.safetensors'));
};

describe('the shipped siblings', () => {
  it.each(SIBLING_NAMES)('%s gives the logits of PyTorch', async (name) => {
    const { config, tensors } = await load(name);
    const { tokens, lastLogits } = golden[name];
    const last = siblingLogits(config, tensors, tokens).subarray(-config.vocabularySize);
    expect(last).toHaveLength(lastLogits.length);
    const most = Math.max(...lastLogits.map((logit, i) => Math.abs(logit - last[i]!)));
    expect(most).toBeLessThan(TOLERANCE);
  });

  it.each(SIBLING_NAMES)('%s is causal: later tokens change no earlier logit', async (name) => {
    const { config, tensors } = await load(name);
    const { tokens } = golden[name];
    const long = siblingLogits(config, tensors, tokens);
    const short = siblingLogits(config, tensors, tokens.slice(0, 20));
    const most = short.reduce((max, logit, i) => Math.max(max, Math.abs(logit - long[i]!)), 0);
    expect(most).toBeLessThan(1e-5);
  });

  it.each(SIBLING_NAMES)('%s was trained to the last step of its last stage', (name) => {
    const lines = readFileSync(new URL(`${name}/training-log.jsonl`, MODELS), 'utf8').trim();
    expect(JSON.parse(lines.split('\n').at(-1)!)).toMatchObject({ stage: 4, step: 1500 });
  });

  it('a cache grows with the tokens, a state does not, and a hybrid stops at its window', async () => {
    const bytes = async (name: SiblingName, tokens: number) =>
      siblingStateBytes((await load(name)).config, tokens);
    // Two layers, keys and values of 64 numbers of 4 bytes.
    expect(await bytes('softmax', 10)).toBe(2 * 2 * 10 * 64 * 4);
    expect(await bytes('softmax', 20)).toBe(2 * (await bytes('softmax', 10)));
    for (const name of ['linear', 'gated-delta'] as const) {
      expect(await bytes(name, 1)).toBe(await bytes(name, 1000));
    }
    expect(await bytes('window-hybrid', 8)).toBeLessThan(await bytes('window-hybrid', 16));
    expect(await bytes('window-hybrid', 16)).toBe(await bytes('window-hybrid', 1000));
  });

  it('a config with a wrong field is refused by name and value', () => {
    expect(() => readSiblingConfig({ vocab_size: 'many' })).toThrow(
      'invalid vocab_size: "many" (expected a positive number)',
    );
  });
});

describe('linear', () => {
  it('adds each output in the order of the plain loop, whatever the number of outputs', () => {
    const random = createRandom(3);
    const draw = (length: number) => Float32Array.from({ length }, () => random.normal());
    const [rows, inputs] = [3, 7];
    for (const outputs of [1, 3, 4, 5, 8, 11]) {
      const x = draw(rows * inputs);
      const weight = draw(outputs * inputs);
      const bias = draw(outputs);
      const expected = Float32Array.from({ length: rows * outputs }, (_, at) => {
        const row = Math.floor(at / outputs);
        const o = at % outputs;
        let sum = bias[o]!;
        for (let i = 0; i < inputs; i++) sum += x[row * inputs + i]! * weight[o * inputs + i]!;
        return sum;
      });
      expect(linear(x, rows, weight, inputs, bias)).toEqual(expected);
    }
  });
});
