import { describe, expect, test } from 'vitest';
import { createModelService } from '../../../lib/run/model-service';
import { decodeResult, encodeResult } from '../../../lib/run/result-json';
import { cacheParams } from '../../../lib/spec/kinds/cache';
import { modelParams } from '../../../lib/spec/kinds/model';
import { bundleFiles } from '../../../lib/transformer/load/bundle';
import { tinyConfig, tinyFiles, tinyTensors } from '../transformer/tiny-model';

const config = tinyConfig('llama', { max_position_embeddings: 1024 });
const files = tinyFiles({ config, tensors: tinyTensors(config) });
const service = createModelService({
  readRecall: async (name) => files.get(name)!,
  makePool: () => {
    throw new Error('no pool was asked for');
  },
});
const never = new AbortController().signal;
const nothing = () => undefined;
const own = modelParams.parse({
  source: { type: 'file', fileName: 'tiny' },
  engine: 'reference',
  prompt: 'paris : 42 ; ? paris :',
  newTokens: 3,
});

describe('a model cell', () => {
  test('reads its files as one and writes; no heads are told of a model of one’s own', async () => {
    const result = await service.run(own, bundleFiles(files, 'tiny'), never, nothing);
    expect(result).toMatchObject({ name: 'tiny', engine: 'reference', heads: [] });
    expect(result.labels.slice(0, 3)).toEqual(['paris', ':', '42']);
    expect(result.tokens.length).toBeGreaterThan(result.promptTokens);
  });

  test('tells every head of the shipped model, and keeps all of it to the bit as JSON', async () => {
    const shipped = modelParams.parse({ engine: 'reference', prompt: own.prompt, newTokens: 1 });
    const result = await service.run(shipped, undefined, never, nothing);
    expect(result.heads.map(({ layer, head }) => `${layer}.${head}`)).toEqual([
      '0.0',
      '0.1',
      '0.2',
      '0.3',
      '1.0',
      '1.1',
      '1.2',
      '1.3',
    ]);
    // The begin-of-sequence token is put in front, and no tokenizer.json is missed.
    expect(result.labels[0]).toBe('<bos>');
    expect(result.notes).toEqual([]);
    const json = JSON.parse(JSON.stringify(encodeResult(result))) as unknown;
    expect(decodeResult(json)).toEqual(result);
  });

  test('says what is missing: the files, words, room', async () => {
    await expect(service.run(own, undefined, never, nothing)).rejects.toThrow(
      'needs the files of a model: choose them for this cell',
    );
    const bundle = bundleFiles(files, 'tiny');
    await expect(service.run({ ...own, prompt: '' }, bundle, never, nothing)).rejects.toThrow(
      'the prompt has no tokens: write at least one word',
    );
    const prompt = 'paris : 42 ; '.repeat(256);
    await expect(service.run({ ...own, prompt }, bundle, never, nothing)).rejects.toThrow(
      'the prompt has 1024 tokens (expected at most 1021: the model has 1024 positions)',
    );
  });
});

test('policies are not compared on a model that does not know the tasks’ words', async () => {
  const running = service.cache(cacheParams.parse({}), own, undefined, never, nothing);
  await expect(running).rejects.toThrow(
    /^the tasks are written in the words of the recall model, which tiny was not trained on/,
  );
});
