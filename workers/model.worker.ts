import { expose } from 'comlink';
import { createModelApi } from '../lib/run/model-api';

/** The page's sub-path, so that the shipped model is found wherever the site is served. */
const BASE_PATH = process.env.HEADROOM_BASE_PATH ?? '';

expose(
  createModelApi({
    async readRecall(name) {
      const response = await fetch(`${BASE_PATH}/models/recall/${name}`);
      if (!response.ok)
        throw new Error(`the shipped model is missing: ${name} (${response.status})`);
      return response.blob();
    },
  }),
);
