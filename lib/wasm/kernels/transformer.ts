// The steps of a Llama block, f32: what `../transformer.ts` calls. Memory is laid out by the caller.

import { gateWithSilu, normRuns } from './elementwise';
import { linearRow, linearRows } from './linear';
import { packKeys, packQueries } from './pack';
import { attendPart, MAX_ROW_WISE, partScratchBytes } from './part-attention';

export {
  attendPart,
  gateWithSilu,
  linearRow,
  linearRows,
  MAX_ROW_WISE,
  normRuns,
  packKeys,
  packQueries,
  partScratchBytes,
};
