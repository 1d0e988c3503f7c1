import { expect, test } from 'vitest';
import { bundleFiles, openBundle } from '../../../lib/transformer/load/bundle';
import { openModel } from '../../../lib/transformer/load/open-model';
import { tinyConfig, tinyFiles, tinyTensors } from './tiny-model';

const config = tinyConfig('llama');
const files = tinyFiles({ config, tensors: tinyTensors(config), shards: 2 });

test('files of a model come back from their bundle, and open as they would apart', async () => {
  const opened = await openBundle(bundleFiles(files, 'tiny'));
  expect([...opened.keys()]).toEqual([...files.keys()]);
  for (const [name, file] of files) {
    const back = opened.get(name)!;
    expect(back.size).toBe(file.size);
    expect(await back.slice(0, back.size).arrayBuffer()).toEqual(await file.arrayBuffer());
  }
  const [apart, bound] = await Promise.all([openModel(files), openModel(opened)]);
  expect(bound.config).toEqual(apart.config);
  expect((await bound.load()).embedding).toEqual((await apart.load()).embedding);
});

test('a bundle is as new as the newest of its files', () => {
  const file = (lastModified: number) => new File(['{}'], 'a', { lastModified });
  const bundle = bundleFiles(
    new Map([
      ['a', file(5)],
      ['b', file(9)],
    ]),
    'pair',
  );
  expect(bundle.lastModified).toBe(9);
  expect(bundle.name).toBe('pair');
});

test('a file that is no bundle, or is cut off, is refused in a sentence', async () => {
  await expect(openBundle(new Blob(['{"a": 1}']))).rejects.toThrow(/^not the files of a model/);
  await expect(openBundle(new Blob([]))).rejects.toThrow(/^not the files of a model/);
  const bundle = bundleFiles(files, 'tiny');
  const cut = bundle.slice(0, bundle.size - 10);
  await expect(openBundle(cut)).rejects.toThrow(/^model bundle: cut off within "/);
});
