import type { FetchRange } from './fetch-range';
import { gatherFiles } from './model-files';
import { type OpenedModel, openModel } from './open-model';
import { remoteFiles } from './remote-files';

/** Where a model comes from. Can be posted to a worker as it is. */
export type ModelSource =
  | {
      readonly kind: 'files';
      readonly files: readonly { readonly path: string; readonly file: Blob }[];
    }
  /** `base` as `modelAddress` gives it. */
  | { readonly kind: 'url'; readonly base: string };

export interface SourceOptions {
  /** Cancels opening; for an address, the requests of a later load too. */
  readonly signal?: AbortSignal;
  /** How an address is read. */
  readonly fetchRange: FetchRange;
}

/** Opens a model wherever it is. @throws Error, one sentence, see `openModel` and `remoteFiles` */
export async function openSource(
  source: ModelSource,
  options: SourceOptions,
): Promise<OpenedModel> {
  const files =
    source.kind === 'files' ? gatherFiles(source.files) : await remoteFiles(source.base, options);
  return openModel(files, options);
}
