import { createFetchClient } from '../lib/transformer/load/fetch-client';

/**
 * Reads files of other origins, by the worker that alone may: of an address that a person has
 * confirmed.
 */
export const fetchRange = createFetchClient(
  () => new Worker(`${process.env.HEADROOM_BASE_PATH ?? ''}/model-fetch.js`),
);
