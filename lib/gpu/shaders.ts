import attentionQuad from './kernels/attention-quad.wgsl';
import attentionRows from './kernels/attention-rows.wgsl';
import attentionTexels from './kernels/attention-texels.wgsl';
import attentionTile from './kernels/attention-tile.wgsl';
import codesTexels from './kernels/codes-texels.wgsl';
import decodeLanes from './kernels/decode-lanes.wgsl';
import decodePaged from './kernels/decode-paged.wgsl';
import decodePagedQuad from './kernels/decode-paged-quad.wgsl';
import decodePagedTexels from './kernels/decode-paged-texels.wgsl';
import decodeQuad from './kernels/decode-quad.wgsl';
import decodeQuantisedQuad from './kernels/decode-quantised-quad.wgsl';
import decodeQuantisedTexels from './kernels/decode-quantised-texels.wgsl';
import decodeQuantisedTile from './kernels/decode-quantised-tile.wgsl';
import decodeTexels from './kernels/decode-texels.wgsl';
import decodeTile from './kernels/decode-tile.wgsl';
import legendreChunks from './kernels/legendre-chunks.wgsl';
import legendreOutputs from './kernels/legendre-outputs.wgsl';
import legendreParams from './kernels/legendre-params.wgsl';
import legendreQueries from './kernels/legendre-queries.wgsl';
import legendreScan from './kernels/legendre-scan.wgsl';
import mapBase from './kernels/map-base.wgsl';
import maskBits from './kernels/mask-bits.wgsl';
import maskFormula from './kernels/mask-formula.wgsl';
import maskWords from './kernels/mask-words.wgsl';
import masked from './kernels/masked.wgsl';
import mergeSplits from './kernels/merge-splits.wgsl';
import packedCodes from './kernels/packed-codes.wgsl';
import paged from './kernels/paged.wgsl';
import pagedRows from './kernels/paged-rows.wgsl';
import params from './kernels/params.wgsl';
import quantised from './kernels/quantised.wgsl';
import recurrentFours from './kernels/recurrent-fours.wgsl';
import recurrentLane from './kernels/recurrent-lane.wgsl';
import recurrentParams from './kernels/recurrent-params.wgsl';
import recurrentQuad from './kernels/recurrent-quad.wgsl';
import recurrentScan from './kernels/recurrent-scan.wgsl';
import roofCopy from './kernels/roof-copy.wgsl';
import roofMatmul from './kernels/roof-matmul.wgsl';
import rowsMain from './kernels/rows-main.wgsl';
import stored from './kernels/stored.wgsl';
import storedBfloat from './kernels/stored-bfloat.wgsl';
import storedHalf from './kernels/stored-half.wgsl';
import storedWords from './kernels/stored-words.wgsl';
import texels from './kernels/texels.wgsl';
import texelsLanes from './kernels/texels-lanes.wgsl';
import texelsOutputs from './kernels/texels-outputs.wgsl';
import texelsRows from './kernels/texels-rows.wgsl';
import texelsScores from './kernels/texels-scores.wgsl';
import texelsValues from './kernels/texels-values.wgsl';
import transformerGate from './kernels/transformer-gate.wgsl';
import transformerLinear from './kernels/transformer-linear.wgsl';
import transformerMerge from './kernels/transformer-merge.wgsl';
import transformerNorm from './kernels/transformer-norm.wgsl';
import transformerParams from './kernels/transformer-params.wgsl';
import transformerPart from './kernels/transformer-part.wgsl';
import transformerPlace from './kernels/transformer-place.wgsl';
import transformerRagged from './kernels/transformer-ragged.wgsl';
import transformerTurn from './kernels/transformer-turn.wgsl';
import transformerVector from './kernels/transformer-vector.wgsl';
import transformerWeights from './kernels/transformer-weights.wgsl';
import variant from './kernels/variant.wgsl';

/** Every shader file by name; snippets without an entry point are included by the others. */
export const SHADER_FILES = {
  'attention-quad.wgsl': attentionQuad,
  'attention-rows.wgsl': attentionRows,
  'attention-texels.wgsl': attentionTexels,
  'attention-tile.wgsl': attentionTile,
  'codes-texels.wgsl': codesTexels,
  'decode-quantised-texels.wgsl': decodeQuantisedTexels,
  'packed-codes.wgsl': packedCodes,
  'decode-lanes.wgsl': decodeLanes,
  'decode-paged-quad.wgsl': decodePagedQuad,
  'decode-paged-texels.wgsl': decodePagedTexels,
  'decode-paged.wgsl': decodePaged,
  'decode-quad.wgsl': decodeQuad,
  'decode-quantised-quad.wgsl': decodeQuantisedQuad,
  'decode-quantised-tile.wgsl': decodeQuantisedTile,
  'decode-texels.wgsl': decodeTexels,
  'decode-tile.wgsl': decodeTile,
  'legendre-chunks.wgsl': legendreChunks,
  'legendre-outputs.wgsl': legendreOutputs,
  'legendre-params.wgsl': legendreParams,
  'legendre-queries.wgsl': legendreQueries,
  'legendre-scan.wgsl': legendreScan,
  'map-base.wgsl': mapBase,
  'mask-bits.wgsl': maskBits,
  'mask-formula.wgsl': maskFormula,
  'mask-words.wgsl': maskWords,
  'masked.wgsl': masked,
  'merge-splits.wgsl': mergeSplits,
  'paged-rows.wgsl': pagedRows,
  'paged.wgsl': paged,
  'params.wgsl': params,
  'quantised.wgsl': quantised,
  'recurrent-fours.wgsl': recurrentFours,
  'recurrent-lane.wgsl': recurrentLane,
  'recurrent-params.wgsl': recurrentParams,
  'recurrent-quad.wgsl': recurrentQuad,
  'recurrent-scan.wgsl': recurrentScan,
  'roof-copy.wgsl': roofCopy,
  'roof-matmul.wgsl': roofMatmul,
  'stored-bfloat.wgsl': storedBfloat,
  'stored-half.wgsl': storedHalf,
  'stored-words.wgsl': storedWords,
  'rows-main.wgsl': rowsMain,
  'stored.wgsl': stored,
  'texels-lanes.wgsl': texelsLanes,
  'texels-outputs.wgsl': texelsOutputs,
  'texels-rows.wgsl': texelsRows,
  'texels-scores.wgsl': texelsScores,
  'texels-values.wgsl': texelsValues,
  'texels.wgsl': texels,
  'transformer-gate.wgsl': transformerGate,
  'transformer-linear.wgsl': transformerLinear,
  'transformer-merge.wgsl': transformerMerge,
  'transformer-norm.wgsl': transformerNorm,
  'transformer-params.wgsl': transformerParams,
  'transformer-part.wgsl': transformerPart,
  'transformer-place.wgsl': transformerPlace,
  'transformer-ragged.wgsl': transformerRagged,
  'transformer-turn.wgsl': transformerTurn,
  'transformer-vector.wgsl': transformerVector,
  'transformer-weights.wgsl': transformerWeights,
  'variant.wgsl': variant,
} as const;

export type ShaderFile = keyof typeof SHADER_FILES;
