import { readRecallFile } from '../../../lib/cli/run/recall-file';
import { openModel } from '../../../lib/transformer/load/open-model';
import { RECALL_FILES } from '../../../lib/transformer/recall';
import type { Transformer } from '../../../lib/transformer/types';
import { createWasmTransformer } from '../../../lib/wasm/transformer';

/** The shipped recall model on the engine of the command line. */
export async function openRecall(): Promise<Transformer> {
  const files = await Promise.all(
    RECALL_FILES.map(async (name) => [name, await readRecallFile(name)] as const),
  );
  const opened = await openModel(new Map(files));
  return createWasmTransformer(opened.config, await opened.load());
}
