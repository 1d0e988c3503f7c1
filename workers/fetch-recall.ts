import type { RecallFile } from '../lib/transformer/recall';

/** The page's sub-path, so that the shipped model is found wherever the site is served. */
const BASE_PATH = process.env.HEADROOM_BASE_PATH ?? '';

/** A file of the shipped model. @throws Error with the status where it is not served */
export async function fetchRecall(name: RecallFile): Promise<Blob> {
  const response = await fetch(`${BASE_PATH}/models/recall/${name}`);
  if (!response.ok) throw new Error(`the shipped model is missing: ${name} (${response.status})`);
  return response.blob();
}
