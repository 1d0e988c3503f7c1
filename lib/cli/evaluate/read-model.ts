import { openAsBlob } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelData } from '../../run/evaluation-service';
import { WORDS } from '../../tasks/vocabulary';
import { gatherFiles } from '../../transformer/load/model-files';
import { openModel } from '../../transformer/load/open-model';

/** Where the shipped recall model lies. */
export const SHIPPED_MODEL = new URL('../../../public/models/recall', import.meta.url).pathname;

/**
 * Reads a model of the tasks' vocabulary from a folder.
 *
 * @throws Error naming the folder and what is wrong in it
 */
export async function readModel(folder: string, engine: string): Promise<ModelData> {
  try {
    const entries = await readdir(folder, { withFileTypes: true }).catch(
      (error: NodeJS.ErrnoException) => {
        throw new Error(`cannot read the folder (${error.code})`);
      },
    );
    const files = entries.filter((entry) => !entry.isDirectory());
    const opened = await openModel(
      gatherFiles(
        await Promise.all(
          files.map(async ({ name }) => ({
            path: name,
            file: await openAsBlob(join(folder, name)),
          })),
        ),
      ),
    );
    const { vocabularySize } = opened.config;
    if (vocabularySize !== WORDS.length) {
      throw new Error(
        `invalid vocab_size: ${vocabularySize} (the tasks are written in ${WORDS.length} words)`,
      );
    }
    return { config: opened.config, weights: await opened.load(), engine };
  } catch (error) {
    throw new Error(`${folder}: ${(error as Error).message}`);
  }
}
