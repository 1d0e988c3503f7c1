import type { z } from 'zod';
import { parseFormula } from '../../formula/parse';
import { toTokens } from '../../formula/tokens';
import { equalJson } from '../../spec/canonical';
import {
  type FormulaNumber,
  type FormulaTable,
  type FormulaVariant,
  formulaScope,
  MAX_TOKENS,
} from '../../spec/kinds/attention';
import { type ComposeParams, composeParams } from '../../spec/kinds/compose';
import { ADAPTIVE_PARALLEL_DEFAULTS } from './adaptive-parallel';
import { DUO_DEPLOYED_WINDOW } from './head-classes';

/** A composition to start from. Its numbers are ours, sized for the page, unless the note says otherwise. */
export interface ComposePreset {
  readonly id: string;
  readonly title: string;
  /** One sentence: what it does, and where it comes from. */
  readonly note: string;
  /** Everything but engine, timed runs and seed, which stay the cell's. */
  readonly params: z.input<typeof composeParams>;
}

const WINDOW = 256;
const SINKS = 4;
const PREFIX = 64;
const SUFFIX = 64;
const MEAN_DOCUMENT = 256;

const number = (name: string, value: number): FormulaNumber => ({
  name,
  value,
  min: 0,
  max: MAX_TOKENS,
  step: 1,
});

function masked(
  text: string,
  numbers: readonly FormulaNumber[],
  tables: readonly FormulaTable[] = [],
): FormulaVariant {
  const variant = { numbers: [...numbers], tables: [...tables] };
  const parsed = parseFormula(text, formulaScope(variant, 'mask'), 'bool');
  if (!parsed.ok) throw new Error(parsed.message);
  return { type: 'formula', mask: toTokens(parsed.node), score: [], ...variant };
}

const tier = [number('window', WINDOW), number('sinks', SINKS)];
const prompt = [number('prefix', PREFIX), number('suffix', SUFFIX)];
const documents: FormulaTable = {
  name: 'document',
  source: 'segments',
  meanTokens: MEAN_DOCUMENT,
};

export const COMPOSE_PRESETS: readonly ComposePreset[] = [
  {
    id: 'tiers',
    title: 'streaming + full tiers',
    note: 'A cache in two tiers, the first and recent keys near and the rest far: their partial attentions join exactly by log-sum-exp, the reduction that FlashAttention-2 does over blocks of keys.',
    params: {
      parts: [
        {
          name: 'sinks and recent',
          variant: { type: 'window-sinks', windowTokens: WINDOW, sinkTokens: SINKS },
        },
        {
          name: 'the rest',
          variant: masked('q - k >= window && k >= sinks', tier),
        },
      ],
    },
  },
  {
    id: 'ape',
    title: 'APE: parallel contexts',
    note: "APE encodes contexts apart from each other at one shared start; at the query their part is sharpened by T and its log-sum-exp scaled by S T, with T = S = 0.9 from the authors' code.",
    params: {
      shape: { queries: SUFFIX },
      encoding: { type: 'rope' },
      positions: {
        type: 'shared-start',
        prefixKeys: PREFIX,
        suffixKeys: SUFFIX,
        meanDocumentTokens: MEAN_DOCUMENT,
      },
      parts: [
        {
          name: 'contexts',
          variant: masked(
            'k <= q && k >= prefix && k < keys - suffix && (q >= keys - suffix || document(q) == document(k))',
            prompt,
            [documents],
          ),
          temperature: ADAPTIVE_PARALLEL_DEFAULTS.temperature,
          lseScale: ADAPTIVE_PARALLEL_DEFAULTS.temperature * ADAPTIVE_PARALLEL_DEFAULTS.scale,
        },
        {
          name: 'prefix and query',
          variant: masked('k <= q && (k < prefix || k >= keys - suffix)', prompt),
        },
      ],
    },
  },
  {
    id: 'duo-attention',
    title: 'retrieval and streaming heads (DuoAttention)',
    note: `DuoAttention gives some heads every key and the others ${DUO_DEPLOYED_WINDOW.sinkTokens} sinks and ${DUO_DEPLOYED_WINDOW.recentTokens} recent keys, the window of its public code; here classes go by mass outside the window, since no gates are trained.`,
    params: {
      parts: [
        { name: 'full', variant: { type: 'causal' } },
        {
          name: 'streaming',
          variant: {
            type: 'window-sinks',
            windowTokens: DUO_DEPLOYED_WINDOW.recentTokens,
            sinkTokens: DUO_DEPLOYED_WINDOW.sinkTokens,
          },
        },
      ],
      rule: { type: 'gate', gates: { type: 'classes', retrievalShare: 0.5 } },
    },
  },
  {
    id: 'differential',
    title: 'differential attention',
    note: 'Differential Transformer subtracts a second softmax over the other half of the channels, times lambda, so that what both see cancels; lambda is learned there and ours here, and the norm after it is left out.',
    params: {
      encoding: { type: 'rope' },
      parts: [
        { name: 'first', channels: 'first-half' },
        { name: 'second', channels: 'second-half' },
      ],
      rule: { type: 'difference', lambda: 0.8 },
    },
  },
  {
    id: 'off-by-one',
    title: 'off-by-one softmax',
    note: 'exp(s) / (1 + sum of exp(s)): a virtual key of score 0 and value 0 lets a head attend to nothing (Miller, 2023); learned sink logits are the same with another score.',
    params: {
      // Few keys without sinks of their own, or the virtual one has next to no share.
      shape: { queries: 128, keys: 128 },
      structure: { bandStrength: 0, sinkStrength: 0 },
      parts: [{ name: 'causal' }],
      sink: { type: 'off-by-one' },
    },
  },
  {
    id: 'lm-infinite',
    title: 'far distances clamped (LM-Infinite)',
    note: 'LM-Infinite sees the first and the recent keys, and no distance is larger than the window: far keys turn by one fixed angle, near ones by their own.',
    params: {
      encoding: { type: 'rope' },
      positions: { type: 'clamped-far', windowTokens: WINDOW },
      parts: [
        {
          name: 'seen',
          variant: { type: 'window-sinks', windowTokens: WINDOW, sinkTokens: SINKS },
        },
      ],
    },
  },
  {
    id: 'streaming-llm',
    title: 'StreamingLLM positions',
    note: "StreamingLLM gives keys their place in the cache, not in the text: distances to the sinks stop at the cache's size; the distance to the same keys at absolute positions says what that changes.",
    params: {
      encoding: { type: 'rope' },
      positions: { type: 'slot-index', sinkTokens: SINKS, recentTokens: WINDOW - SINKS },
      parts: [{ name: 'cached' }],
    },
  },
  {
    id: 'multimodal',
    title: 'positions in time, height and width (TMRoPE)',
    note: 'Qwen2.5-Omni turns a section of the rotary pairs by time, one by height and one by width: text and sound have one number for all three, the tokens of a frame share its time; sections and the clip are ours, half a second per frame is 12 of the 25 steps a second of its code.',
    params: {
      encoding: { type: 'rope' },
      positions: { type: 'multimodal' },
      parts: [{ name: 'causal' }],
    },
  },
  {
    id: 'rope-scaling',
    title: 'RoPE scaling',
    note: "YaRN stretches slow rotary pairs to 4 times the trained length and leaves fast ones, with the betas of its authors' code; linear, NTK, dynamic NTK and Llama 3 scaling are one choice away.",
    params: {
      encoding: { type: 'rope', scaling: { type: 'yarn', factor: 4, originalTokens: WINDOW } },
      parts: [{ name: 'causal' }],
    },
  },
  {
    id: 'mla',
    title: 'MLA absorbed',
    note: 'Multi-head latent attention (DeepSeek-V2) caches one latent and one rotated key per token; absorbed, the up-projection of keys moves into the query, and one KV head of the kernel serves all heads.',
    params: {
      encoding: { type: 'rope' },
      parts: [{ name: 'causal' }],
      rule: { type: 'latent', modelSize: 128, rank: 64, ropeSize: 16 },
    },
  },
];

/** The params of a preset in a cell that keeps its engine, timed runs and seed. */
export function presetParams(
  { params }: ComposePreset,
  { engine, timedRuns, seed }: Pick<ComposeParams, 'engine' | 'timedRuns' | 'seed'>,
): ComposeParams {
  return composeParams.parse({ ...params, engine, timedRuns, seed });
}

/** The preset that a cell's params are, whatever its engine, timed runs, seed and structure. */
export function presetOf(params: ComposeParams): ComposePreset | undefined {
  return COMPOSE_PRESETS.find((preset) => {
    const own = presetParams(preset, params);
    return equalJson({ ...own, structure: params.structure }, params);
  });
}
