import { parseFormula } from '../formula/parse';
import { toTokens } from '../formula/tokens';
import { type FormulaVariant, formulaScope } from '../spec/kinds/attention';
import { type FormulaPreset, preset, real, segments, whole } from './preset-parts';
import { MEDIA_PRESETS } from './presets-media';

export type { FormulaPreset };

const CAUSAL = 'k <= q';
export const FORMULA_PRESETS: readonly FormulaPreset[] = [
  preset('causal', 'Causal', 'masks', 'Every query sees itself and what came before.', {
    mask: CAUSAL,
  }),
  preset(
    'sliding',
    'Sliding window',
    'masks',
    'The last window tokens only (Longformer, Mistral).',
    {
      mask: `${CAUSAL} && q - k < window`,
      numbers: [whole('window', 256, 4096, 1)],
    },
  ),
  preset(
    'dilated',
    'Dilated window',
    'masks',
    'Every stride-th token of a longer window (Longformer).',
    {
      mask: `${CAUSAL} && q - k < window && (q - k) % stride == 0`,
      numbers: [whole('window', 512, 4096, 1), whole('stride', 4, 64, 1)],
    },
  ),
  preset(
    'global-sliding',
    'Global and sliding',
    'masks',
    'A local window in both directions; a few tokens see and are seen by all (Longformer, BigBird).',
    {
      mask: 'abs(q - k) < window || k < globals || q < globals',
      numbers: [whole('window', 128, 4096, 1), whole('globals', 16, 256)],
    },
  ),
  preset(
    'streaming',
    'Window and sinks',
    'masks',
    'StreamingLLM: the first tokens stay visible beside the window, since they hold the spare attention.',
    {
      mask: `${CAUSAL} && (q - k < window || k < sinks)`,
      numbers: [whole('window', 256, 4096, 1), whole('sinks', 4, 256)],
    },
  ),
  preset(
    'strided-blocks',
    'Window and strided blocks',
    'masks',
    'LongGen, one of its static patterns: a window, and every stride-th block of the past.',
    {
      mask: `${CAUSAL} && (q - k < window || floor(k / block) % stride == 0)`,
      numbers: [
        whole('window', 128, 4096, 1),
        whole('block', 64, 512, 1),
        whole('stride', 4, 32, 1),
      ],
    },
  ),
  preset(
    'prefix-lm',
    'Prefix LM',
    'masks',
    'The prefix reads itself in both directions (T5, UniLM).',
    {
      mask: `${CAUSAL} || k < prefix`,
      numbers: [whole('prefix', 256, 4096)],
    },
  ),
  preset(
    'document',
    'Documents',
    'masks',
    'Several prompts in one row, none sees another (prepacking): exact, only work is skipped.',
    { mask: `document(q) == document(k) && ${CAUSAL}`, tables: [segments('document', 256)] },
  ),
  preset(
    'shared-prefix',
    'Shared prefix',
    'masks',
    'Documents that all see one prompt before them, as in batched question answering.',
    {
      mask: `${CAUSAL} && (k < prefix || document(q) == document(k))`,
      numbers: [whole('prefix', 128, 4096)],
      tables: [segments('document', 128)],
    },
  ),
  preset(
    'alibi',
    'ALiBi',
    'scores',
    'A penalty per token of distance, slope 2^(-8 (h + 1) / heads).',
    {
      mask: CAUSAL,
      score: 'score - exp2(-8 * (h + 1) / heads) * (q - k)',
    },
  ),
  preset(
    'alibi-bidirectional',
    'ALiBi, both directions',
    'scores',
    'MosaicBERT: the same penalty on either side, no mask.',
    { score: 'score - exp2(-8 * (h + 1) / heads) * abs(q - k)' },
  ),
  preset('soft-cap', 'Soft cap', 'scores', 'Scores pressed into (-cap, cap) by tanh (Gemma 2).', {
    mask: CAUSAL,
    score: 'cap * tanh(score / cap)',
    numbers: [real('cap', 30, 1, 100)],
  }),
  preset(
    'relative-bias',
    'Relative bias in buckets',
    'scores',
    'T5: a bias per head and bucket of distance, buckets widening as a logarithm; seeded here, learned there.',
    {
      mask: CAUSAL,
      score:
        'score + bias(q - k < exact ? q - k : min(31, exact + floor(log(max(q - k, 1) / exact) / log(farthest / exact) * (32 - exact))))',
      numbers: [whole('exact', 16, 31, 1), whole('farthest', 128, 4096, 32)],
      tables: [{ name: 'bias', source: 'normal', perHead: true, entries: 32, deviation: 1 }],
    },
  ),
  preset('temperature', 'Temperature', 'scores', 'Above 1 flattens attention, below sharpens it.', {
    mask: CAUSAL,
    score: 'score / temperature',
    numbers: [real('temperature', 0.8, 0.1, 4)],
  }),
  preset(
    'length-temperature',
    'Length temperature',
    'scores',
    'Scores grow with the logarithm of the position beyond a trained length, so that attention stays as sharp.',
    {
      mask: CAUSAL,
      score: 'score * max(1, log(max(q, 1) + 1) / log(trained))',
      numbers: [whole('trained', 512, 8192, 2)],
    },
  ),
  preset(
    'log-multiplicity',
    'Log multiplicity',
    'scores',
    'A slot that stands for n equal keys gets log n (TempCache, RazorAttention): exact where they are equal.',
    {
      mask: CAUSAL,
      score: 'score + log(1 + copies(k))',
      tables: [{ name: 'copies', source: 'classes', classes: 8, meanTokens: 32 }],
    },
  ),
  ...MEDIA_PRESETS,
  preset(
    'block-diffusion',
    'Block diffusion, training',
    'training and trees',
    'BD3-LM: noisy tokens in the first half, clean in the second. Noisy blocks see themselves and earlier clean ones; clean ones are block causal.',
    {
      mask: 'q < floor(keys / 2) ? (k < floor(keys / 2) ? floor(q / block) == floor(k / block) : floor((k - floor(keys / 2)) / block) < floor(q / block)) : k >= floor(keys / 2) && floor(k / block) <= floor(q / block)',
      numbers: [whole('block', 32, 512, 1)],
    },
  ),
  preset(
    'tree',
    'Tree of drafts',
    'training and trees',
    'Tree attention of speculative decoding: a node sees its ancestors. Nodes are numbered depth first.',
    {
      mask: 'k <= q && q < end(k)',
      tables: [{ name: 'end', source: 'subtree-end', meanChildren: 2 }],
    },
  ),
];

/** The preset as a variant of a document. */
export function presetVariant(preset: FormulaPreset): FormulaVariant {
  const { numbers, tables } = preset;
  const tokens = (part: 'mask' | 'score') => {
    if (preset[part] === '') return [];
    const type = part === 'mask' ? 'bool' : 'float';
    const parsed = parseFormula(
      preset[part],
      formulaScope({ numbers: [...numbers], tables: [...tables] }, part),
      type,
    );
    if (!parsed.ok) {
      throw new Error(
        `invalid ${part} of preset ${preset.id}: ${parsed.message} at ${parsed.column}`,
      );
    }
    return toTokens(parsed.node);
  };
  return {
    type: 'formula',
    mask: tokens('mask'),
    score: tokens('score'),
    numbers: [...numbers],
    tables: [...tables],
  };
}
