import { expect, test } from 'vitest';
import type { CacheResult } from '../../../lib/evaluate/cell-result';
import { type CacheHeadPlace, createCacheHeadJob } from '../../../lib/run/cache-head-job';
import { createCacheHeadSource } from '../../../lib/run/cache-head-source';
import type { LoadedModel } from '../../../lib/run/model-service';
import { cacheParams } from '../../../lib/spec/kinds/cache';
import { WORDS } from '../../../lib/tasks/vocabulary';
import { wordTokenizer } from '../../../lib/transformer/load/word-tokenizer';
import { randomModel, SMALL } from '../cache/random-model';

const transformer = randomModel(3, { ...SMALL, vocabularySize: WORDS.length });
const loaded = {
  name: 'tiny',
  transformer,
  tokenizer: wordTokenizer,
} as Partial<LoadedModel> as LoadedModel;
const duo = { type: 'preset', id: 'duo-attention', share: 0.6 };
const params = cacheParams.parse({
  entries: [{ ...duo, gates: { type: 'fitted', samples: 3 } }, duo],
  contextTokens: 64,
});
const { layers, kvHeads } = transformer.config;
/** The first head of a layer needs the whole context, or the others do. */
const gatesOf = (isFirst: boolean) =>
  Array.from({ length: layers }, () =>
    Array.from({ length: kvHeads }, (_, head) => ((head === 0) === isFirst ? 0.9 : 0.1)),
  );

test('a head is that of the gates that its entry ran with', () => {
  const job = createCacheHeadJob();
  const seen = (isFirst: boolean) => {
    const place = { entry: 0, layer: 0, kvHead: 0, gates: gatesOf(isFirst) };
    const { states, labels, contextTokens } = job(params, loaded, place);
    return states.slice(contextTokens * labels.length).subarray(0, contextTokens);
  };
  // One after the other: what was run last is kept, and must not be taken for the other's.
  const [whole, windowed] = [seen(true), seen(false)];
  expect(new Set(whole)).toEqual(new Set([0]));
  expect(windowed).not.toEqual(whole);
});

test('fitted gates of a run go with the call, those of each context do not', async () => {
  const values = gatesOf(true);
  const result = {
    params,
    runs: [
      { gates: { values, by: 'retrieval', isFitted: true } },
      { gates: { values, by: 'the mean-query proxy', isFitted: false } },
    ],
  } as unknown as CacheResult;
  const places: CacheHeadPlace[] = [];
  const cacheHead = createCacheHeadSource({
    board: {
      records: new Map([
        ['c', { cell: { inputs: [] }, result: { output: { kind: 'cache', value: result } } }],
      ]),
      files: new Map(),
    },
    queue: {
      put: ({ run }: { run: (signal: AbortSignal) => unknown }) =>
        run(new AbortController().signal),
    },
    model: {
      call: (call: (api: object) => unknown) =>
        call({
          cacheHead: async (...[, , , , place]: readonly CacheHeadPlace[]) => {
            if (place !== undefined) places.push(place);
            return {};
          },
        }),
    },
    cacheBytes: undefined,
  } as unknown as Parameters<typeof createCacheHeadSource>[0]);
  const at = { layer: 0, kvHead: 1 };
  await cacheHead('c', { entry: 0, ...at }, 'reader');
  await cacheHead('c', { entry: 1, ...at }, 'reader');
  expect(places).toEqual([
    { entry: 0, ...at, gates: values },
    { entry: 1, ...at },
  ]);
});
