import type { ReadSibling } from '../lib/run/recall-gap-job';

/** The page's sub-path, so that the shipped models are found wherever the site is served. */
const BASE_PATH = process.env.HEADROOM_BASE_PATH ?? '';

/** A file of a shipped sibling. @throws Error with the status where it is not served */
export const fetchSibling: ReadSibling = async (name, file) => {
  const response = await fetch(`${BASE_PATH}/models/siblings/${name}/${file}`);
  if (!response.ok)
    throw new Error(`the shipped ${name} model is missing: ${file} (${response.status})`);
  return response.blob();
};
