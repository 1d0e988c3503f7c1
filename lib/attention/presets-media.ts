import { type FormulaPreset, preset, segments, whole } from './preset-parts';

const CAUSAL = 'k <= q';
/** Row and column of a position in a picture `width` tokens wide, the window pushed back at the edges. */
const inside = (at: string, size: string) => `min(max(${at}, radius), ${size} - 1 - radius)`;

/** Images, video and speech: the static rows of published models. */
export const MEDIA_PRESETS: readonly FormulaPreset[] = [
  preset(
    'natten',
    'Neighbourhood, 2-D',
    'images and video',
    'NATTEN: a square around each pixel, pushed back inside at the edges.',
    {
      mask: `abs(${inside('q % width', 'width')} - k % width) <= radius && abs(${inside('floor(q / width)', 'floor(keys / width)')} - floor(k / width)) <= radius`,
      numbers: [whole('width', 32, 128, 2), whole('radius', 3, 32, 1)],
    },
  ),
  preset(
    'block-causal',
    'Block causal',
    'images and video',
    'Everything inside a frame, causal across frames (Ca2-VDM, next-frame diffusion).',
    { mask: 'floor(k / frame) <= floor(q / frame)', numbers: [whole('frame', 64, 1024, 1)] },
  ),
  preset(
    'sink-frames',
    'Sink frames and window',
    'images and video',
    'Hybrid forcing, MotionStream: the first frames and the latest, block causal. 3 sink frames are from the published code of the former.',
    {
      mask: 'floor(k / frame) <= floor(q / frame) && (floor(k / frame) < sinks || floor(q / frame) - floor(k / frame) < window)',
      numbers: [whole('frame', 64, 1024, 1), whole('sinks', 3, 32), whole('window', 6, 64, 1)],
    },
  ),
  preset(
    'dual-scope',
    'Dual scope',
    'images and video',
    'Video-Infinity: neighbouring frames, and frames sampled evenly over the whole clip.',
    {
      mask: 'abs(floor(q / frame) - floor(k / frame)) <= radius || floor(k / frame) % every == 0',
      numbers: [whole('frame', 64, 1024, 1), whole('radius', 1, 32), whole('every', 4, 32, 1)],
    },
  ),
  preset(
    'two-windows',
    'A window per modality',
    'images and video',
    'StreamingVLM: text sinks, a window of text and another of vision. 512 and 512 text tokens are from its code.',
    {
      mask: `${CAUSAL} && (modality(k) == 0 ? k < sinks || q - k < text : q - k < vision)`,
      numbers: [
        whole('sinks', 512, 4096),
        whole('text', 512, 4096, 1),
        whole('vision', 256, 4096, 1),
      ],
      tables: [{ name: 'modality', source: 'classes', classes: 2, meanTokens: 96 }],
    },
  ),
  preset(
    'space-time',
    'Space and time apart',
    'images and video',
    'Factorised attention of video models (PredFormer is one): the own frame, and the same place in every frame.',
    {
      mask: 'floor(q / frame) == floor(k / frame) || q % frame == k % frame',
      numbers: [whole('frame', 64, 1024, 1)],
    },
  ),
  preset(
    'shifted-windows',
    'Shifted windows',
    'images and video',
    'Windows that see themselves, moved by a shift (StreamDiT).',
    {
      mask: 'floor((q + shift) / window) == floor((k + shift) / window)',
      numbers: [whole('window', 128, 1024, 1), whole('shift', 64, 1024)],
    },
  ),
  preset(
    'slow-fast-memory',
    'Slow and fast memory',
    'images and video',
    'Context forcing: sinks, every so many frames of a long past, all of a short one.',
    {
      mask: 'k <= q && (k < sinks || q - k < fast || q - k < slow && floor(k / frame) % every == 0)',
      numbers: [
        whole('sinks', 64, 1024),
        whole('fast', 128, 4096, 1),
        whole('slow', 768, 4096, 1),
        whole('frame', 32, 1024, 1),
        whole('every', 4, 32, 1),
      ],
    },
  ),
  preset(
    'chunk-lookahead',
    'Chunks with look-ahead',
    'speech',
    'Streaming encoders: a whole chunk, and a number of chunks to the left (stateful Conformer, Whisper made causal).',
    {
      mask: 'floor(k / chunk) <= floor(q / chunk) && floor(q / chunk) - floor(k / chunk) <= left',
      numbers: [whole('chunk', 32, 512, 1), whole('left', 4, 64)],
    },
  ),
  preset(
    'learned-lookahead',
    'Look-ahead per chunk',
    'speech',
    'ANCAT: every chunk of frames looks ahead as far as it learned to; seeded here.',
    {
      mask: 'k <= q + ahead(floor(q / frame)) && q - k <= left',
      numbers: [whole('frame', 16, 512, 1), whole('left', 256, 4096)],
      tables: [{ name: 'ahead', source: 'classes', classes: 16, meanTokens: 2 }],
    },
  ),
  preset(
    'streams',
    'Parallel streams',
    'speech',
    'Several token streams, one token of each per step; each sees the earlier steps of all.',
    {
      mask: 'floor(k / streams) < floor(q / streams) || k == q',
      numbers: [whole('streams', 4, 16, 1)],
    },
  ),
  preset(
    'segments',
    'Segment causal',
    'speech',
    'Watching and answering by segments: a segment sees itself whole, and those before it.',
    { mask: 'segment(k) <= segment(q)', tables: [segments('segment', 96)] },
  ),
];
