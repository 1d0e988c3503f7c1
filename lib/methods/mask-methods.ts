import {
  cacheCells,
  cellOf,
  compositionCells,
  formulaCells,
  mappedCellOf,
  presetCells,
  presetFormula,
  selectionCells,
  storageCells,
  streamedCells,
} from './cells';
import type { Method } from './types';

const part = 'masks, head classes, positions';
const TRAINED = 'the model is trained or tuned for it, which a kernel does not show';

/** Static masks, head classes and position rules. */
export const MASK_METHODS: readonly Method[] = [
  {
    id: 'streaming-llm',
    name: 'StreamingLLM',
    part,
    says: 'Keeps the first tokens, which hold the spare attention, and a window; what lies between is evicted. Keys are rotated by their slot in the cache, not by their place in the text.',
    cells: [
      ...presetCells('streaming'),
      ...compositionCells('streaming-llm'),
      ...cacheCells('streaming-llm'),
    ],
  },
  {
    id: 'duo-attention',
    name: 'DuoAttention',
    part,
    says: 'Some heads need every key, the others sinks and a recent window only; a gate per head, trained on passkeys, tells which.',
    cells: [...compositionCells('duo-attention'), ...cacheCells('duo-attention')],
    leavesOut: 'the training of the gates: classes go by mass outside the window',
  },
  {
    id: 'razor-attention',
    name: 'RazorAttention',
    part,
    says: 'Heads that copy or complete keep every key; the others keep sinks, a window and one slot for all that was dropped, weighted by the logarithm of how many that were.',
    cells: [
      ...compositionCells('duo-attention'),
      ...presetCells('log-multiplicity'),
      ...cacheCells('razor-attention'),
    ],
  },
  {
    id: 'ape',
    name: 'APE',
    part,
    says: 'Contexts are encoded apart, all from the same position; at the query their part is sharpened and its log-sum-exp scaled before the merge.',
    cells: [
      ...compositionCells('ape'),
      ...cacheCells('ape', { task: 'chunk-qa', beside: 'concatenated' }),
    ],
  },
  {
    id: 'speak-while-watching',
    name: 'Speak While Watching',
    part,
    says: 'Input and output count their positions apart, so that speaking does not push what is watched away; overlapped and gap-isolated rules are one choice away.',
    cells: mappedCellOf('compose', {
      encoding: { type: 'rope' },
      positions: { type: 'decoupled', output: 'group' },
      parts: [{ name: 'all', variant: { type: 'causal' } }],
    }),
    leavesOut: TRAINED,
  },
  {
    id: 'lserve',
    name: 'LServe',
    part,
    says: 'Half of the heads see sinks and a window only; the others choose pages by a bound on what the keys of each part of a page can score.',
    cells: [
      ...selectionCells({ type: 'lserve' }),
      ...compositionCells('duo-attention'),
      ...storageCells('int4-token'),
      ...cacheCells('lserve', { protocol: 'known' }),
    ],
    leavesOut: 'reuse of one choice over several decode steps, which needs a model',
  },
  {
    id: 'longgen',
    name: 'LongGen',
    part,
    says: 'A third of the layers keep full attention; the others get one static pattern, here a window and every stride-th block of the past.',
    cells: presetCells('strided-blocks'),
    leavesOut:
      'the tuning that goes with it: the check tries every half of a small model’s layers as it is',
  },
  {
    id: 'prepacking',
    name: 'Prepacking',
    part,
    says: 'Several prompts share one row. A document mask keeps them apart and positions restart, so the result is exact and only padding is saved.',
    cells: [
      ...presetCells('document'),
      ...mappedCellOf('compose', {
        encoding: { type: 'rope' },
        positions: { type: 'restart' },
        parts: [{ name: 'prompts', variant: { type: 'documents' } }],
      }),
    ],
  },
  {
    id: 'mosaicbert',
    name: 'MosaicBERT',
    part,
    says: 'A bidirectional encoder whose only sense of position is ALiBi: a penalty per token of distance, another slope for every head.',
    cells: presetCells('alibi-bidirectional'),
    leavesOut: 'unpadding, gated units and the rest of the training recipe',
  },
  {
    id: 'streaming-vlm',
    name: 'StreamingVLM',
    part,
    says: 'Two windows, one for text and one for vision, beside text sinks; all else is evicted and positions close up.',
    cells: [
      ...presetCells('two-windows', { sinks: 64, text: 128, vision: 256 }),
      ...streamedCells(64, 320),
    ],
    leavesOut: `one set of cells has the two windows and the other the positions that close up; sizes are scaled down to 1024 tokens; ${TRAINED}`,
  },
  {
    id: 'deep-forcing',
    name: 'Deep Forcing',
    part,
    says: 'About half of the window is sink frames, whose temporal phase is moved to just before the window.',
    cells: [
      ...presetCells('sink-frames', { sinks: 4, window: 4 }),
      ...streamedCells(256, 256),
      ...cacheCells('snapkv'),
    ],
    leavesOut:
      'sinks move on every rotary pair, not on those of time alone; the cache cell drops tokens by the attention of recent queries over text, with the window and the pooling of SnapKV',
  },
  {
    id: 'hybrid-forcing',
    name: 'Hybrid forcing',
    part,
    says: 'Sink frames and a sliding window of frames; what leaves the window is kept in a linear state.',
    cells: [
      ...presetCells('sink-frames'),
      ...selectionCells({ type: 'block-sparse', topBlocks: 3, blockTokens: 64 }),
      ...mappedCellOf('recurrent', {
        rule: { type: 'additive', normalise: true },
        featureMap: 'softmax',
      }),
    ],
    leavesOut:
      'window, blocks of pooled scores (here over the whole past) and the linear state of softmaxed keys are cells of their own: their sum through a trained matrix is not made, and the state is not rotated',
  },
  ...(
    [
      ['motionstream', 'MotionStream'],
      ['streamdiffusionv2', 'StreamDiffusionV2'],
      ['streamchar', 'StreamChar'],
      ['astrolabe', 'Astrolabe'],
    ] as const
  ).map(
    ([id, name]): Method => ({
      id,
      name,
      part,
      says: 'Video by chunks of frames over a rolling cache: the first frames stay as sinks, the latest form a window, attention is full inside a frame and causal across.',
      cells: presetCells('sink-frames'),
      leavesOut: TRAINED,
    }),
  ),
  ...(
    [
      ['ca2-vdm', 'Ca2-VDM', 'Clean past frames are cached once and serve every denoising step.'],
      ['vid-gpt', 'ViD-GPT', 'Past frames are a prefix of the frames that are generated.'],
      [
        'next-frame-diffusion',
        'Next-frame diffusion',
        'Each frame is denoised as a whole, given the frames before it.',
      ],
      ['ar-diffusion', 'AR-Diffusion', 'Frames carry noise that never falls towards the past.'],
    ] as const
  ).map(
    ([id, name, how]): Method => ({
      id,
      name,
      part,
      says: `Block causal over frames: full attention inside a frame, causal across frames. ${how}`,
      cells: presetCells('block-causal'),
      leavesOut: TRAINED,
    }),
  ),
  {
    id: 'blockvid',
    name: 'BlockVid',
    part,
    says: 'Video by blocks: the blocks of the past that fit a query best are read back beside the latest.',
    cells: selectionCells({ type: 'moba' }),
    leavesOut: `the semantic score that picks blocks there is another one; ${TRAINED}`,
  },
  {
    id: 'context-forcing',
    name: 'Context Forcing',
    part,
    says: 'The past in three memories of frames: sinks, a fast one of the latest frames, and a slow one that keeps every few frames for longer.',
    cells: formulaCells({
      mask: 'floor(k / frame) <= floor(q / frame) && (floor(k / frame) < sinks || floor(q / frame) - floor(k / frame) < fast || floor(k / frame) % every == 0 && floor(q / frame) - floor(k / frame) < slow)',
      score: '',
      numbers: [
        { name: 'frame', value: 32, min: 1, max: 1024, step: 1 },
        { name: 'sinks', value: 1, min: 0, max: 32, step: 1 },
        { name: 'fast', value: 4, min: 1, max: 64, step: 1 },
        { name: 'slow', value: 24, min: 1, max: 512, step: 1 },
        { name: 'every', value: 4, min: 1, max: 32, step: 1 },
      ],
    }),
    leavesOut: `which frames the slow memory keeps, every few, and all sizes are ours; ${TRAINED}`,
  },
  {
    id: 'video-infinity',
    name: 'Video-Infinity',
    part,
    says: 'Dual scope: neighbouring frames, and frames sampled evenly over the whole clip.',
    cells: presetCells('dual-scope'),
    leavesOut: 'the distribution of clips over several GPUs',
  },
  {
    id: 'streamdit',
    name: 'StreamDiT',
    part,
    says: 'Attention within windows of tokens; every other layer shifts the windows, so that information crosses their borders.',
    cells: formulaCells({
      mask: 'floor((q + shift) / window) == floor((k + shift) / window)',
      score: '',
      numbers: [
        { name: 'window', value: 128, min: 1, max: 1024, step: 1 },
        { name: 'shift', value: 64, min: 0, max: 512, step: 1 },
      ],
    }),
    leavesOut: TRAINED,
  },
  {
    id: 'stateful-conformer',
    name: 'Stateful Conformer',
    part,
    says: 'Speech in chunks: a frame sees its own chunk whole, look-ahead included, and a number of chunks to the left, whose activations are cached.',
    cells: presetCells('chunk-lookahead'),
    leavesOut: 'the cache of the convolutions',
  },
  {
    id: 'ancat',
    name: 'ANCAT',
    part,
    says: 'Streaming speech in which every frame has its own look-ahead: a lookup stands for the learned one.',
    cells: formulaCells({
      mask: 'k <= q + step * look(q) && q - k < left',
      score: '',
      numbers: [
        { name: 'step', value: 16, min: 0, max: 128, step: 1 },
        { name: 'left', value: 256, min: 1, max: 1024, step: 1 },
      ],
      tables: [{ name: 'look', source: 'classes', classes: 4, meanTokens: 48 }],
    }),
    leavesOut: 'the network that learns the look-ahead',
  },
  {
    id: 'carelesswhisper',
    name: 'CarelessWhisper',
    part,
    says: 'The encoder of Whisper made block causal: a block of frames sees itself and every block before it.',
    cells: presetCells('block-causal', { frame: 32 }),
    leavesOut: TRAINED,
  },
  {
    id: 'qwen2.5-omni',
    name: 'Qwen2.5-Omni',
    part,
    says: 'Audio and vision encoders attend within blocks, so that a stream can be encoded as it arrives. In the language model a position has three parts (TMRoPE): text and sound count time alone, the tokens of a frame have a row and a column too.',
    cells: [
      ...formulaCells({
        mask: 'floor(k / block) == floor(q / block)',
        score: '',
        numbers: [{ name: 'block', value: 64, min: 1, max: 1024, step: 1 }],
      }),
      ...compositionCells('multimodal'),
    ],
    leavesOut:
      'the sound of two seconds comes after their frames there, here after each frame; the shares of time, height and width are ours; the diffusion decoder with its sliding window',
  },
  {
    id: 'videollm-online',
    name: 'VideoLLM-online',
    part,
    says: 'Frames and text interleave in one causal stream; the model speaks when it wants to.',
    cells: presetCells('causal'),
    leavesOut: TRAINED,
  },
  {
    id: 'think-while-watching',
    name: 'Think While Watching',
    part,
    says: 'A segment of the stream sees itself whole and the segments before it.',
    cells: [
      ...presetCells('segments'),
      ...mappedCellOf('compose', {
        encoding: { type: 'rope' },
        positions: { type: 'decoupled', output: 'group' },
        parts: [{ name: 'segments', variant: presetFormula('segments') }],
      }),
    ],
    leavesOut: TRAINED,
  },
  {
    id: 'multi-stream-llm',
    name: 'Multi-stream LLM',
    part,
    says: 'Several token streams advance together, one token of each per step; each sees the earlier steps of all.',
    cells: presetCells('streams'),
    leavesOut: `positions that count the steps of all streams together; ${TRAINED}`,
  },
  {
    id: 'predformer',
    name: 'PredFormer',
    part,
    says: 'Space and time attended in turn: a token sees its own frame, and its own place in every other frame.',
    cells: formulaCells({
      mask: 'floor(q / frame) == floor(k / frame) || q % frame == k % frame',
      score: '',
      numbers: [{ name: 'frame', value: 64, min: 1, max: 1024, step: 1 }],
    }),
    leavesOut: 'space and time are two layers there and one mask here',
  },
  {
    id: 'fancyvideo',
    name: 'FancyVideo',
    part,
    says: 'Text is attended across frames: each frame reads the words that were refined for it.',
    cells: formulaCells({
      mask: 'floor(q / frame) == floor(k / frame)',
      score: '',
      numbers: [{ name: 'frame', value: 128, min: 1, max: 1024, step: 1 }],
    }),
    leavesOut: 'the module that refines the words per frame',
  },
  {
    id: 'slow-fast',
    name: 'Slow-fast video',
    part,
    says: 'Text reads every uncompressed (slow) token by cross-attention, which has no mask; compressed (fast) tokens go through ordinary self-attention.',
    cells: cellOf('attention', {
      shape: { queries: 128, keys: 1024 },
      variant: { type: 'dense' },
    }),
    leavesOut: 'the compression of the fast tokens',
  },
];
