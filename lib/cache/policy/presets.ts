import type { CacheBudget, CachePolicyInput } from '../../spec/cache-policy';

/** A policy that is data alone. */
export interface PolicyPreset {
  readonly id: string;
  readonly label: string;
  readonly source: string;
  /** Which numbers are whose. */
  readonly defaults: string;
  policy(budget: CacheBudget): CachePolicyInput;
}

/** Observation window and sinks at the lengths of the page's model. */
const WINDOW = 16;
const SINKS = 4;

const window = { type: 'attention', queries: 'window', windowTokens: WINDOW } as const;
const keepsWindow = { recent: { type: 'tokens', tokens: WINDOW } } as const;
const avgPool5 = { type: 'avg', kernel: 5 } as const;

/** What the mandatory nulls and the simplest rules keep. */
const SIMPLE: readonly PolicyPreset[] = [
  {
    id: 'full',
    label: 'full cache',
    source: 'the model itself, in f16',
    defaults: 'No numbers; the budget is not used.',
    policy: () => ({ budget: { type: 'ratio', share: 1 }, action: { type: 'none' } }),
  },
  {
    id: 'random',
    label: 'random',
    source: 'a null to compare with',
    defaults: 'No numbers but the seed.',
    policy: (budget) => ({ budget, scorer: { type: 'random' } }),
  },
  {
    id: 'key-norm',
    label: 'key norm',
    source: 'Devoto et al., 2024: keys of small norm are kept; NVIDIA kvpress',
    defaults: 'No numbers.',
    policy: (budget) => ({ budget, scorer: { type: 'key-norm', keep: 'low' } }),
  },
  {
    id: 'sliding-window',
    label: 'sliding window',
    source: 'a baseline: the last tokens',
    defaults: 'No numbers.',
    policy: (budget) => ({
      budget,
      trigger: { type: 'on-append' },
      selector: { recent: { type: 'rest' } },
    }),
  },
  {
    id: 'streaming-llm',
    label: 'StreamingLLM',
    source: 'Xiao et al., 2023; mit-han-lab/streaming-llm',
    defaults:
      '4 sinks and slot-index positions are the code’s; the window is what the budget leaves.',
    policy: (budget) => ({
      budget,
      trigger: { type: 'on-append' },
      selector: { sinkTokens: SINKS, recent: { type: 'rest' } },
      position: { type: 'slot-index' },
    }),
  },
];

const BY_ATTENTION: readonly PolicyPreset[] = [
  {
    id: 'h2o',
    label: 'H2O',
    source: 'Zhang et al., 2023',
    defaults:
      'Half heavy hitters and half recent tokens is the usual form; the split is selector.recent.',
    policy: (budget) => ({
      budget,
      trigger: { type: 'on-append' },
      scorer: { type: 'attention', queries: 'all' },
      selector: { recent: { type: 'share', share: 0.5 } },
    }),
  },
  {
    id: 'tova',
    label: 'TOVA',
    source: 'Oren et al., 2024',
    defaults: 'No numbers: the last query’s attention, averaged over all heads of a layer.',
    policy: (budget) => ({
      budget,
      trigger: { type: 'on-append' },
      scorer: { type: 'attention', queries: 'last' },
      reducers: { heads: 'mean' },
    }),
  },
  {
    id: 'snapkv',
    label: 'SnapKV',
    source:
      'Li et al., 2024; FasterDecoding/SnapKV. Slots are per KV head: the mean of a group’s query heads, not a copy for each',
    defaults:
      'Sum over the window and average pooling of 5 are the code’s; its window of 32 to 64 is scaled to 16.',
    policy: (budget) => ({
      budget,
      scorer: window,
      reducers: { rows: { type: 'sum' }, pool: avgPool5, group: 'mean' },
      selector: keepsWindow,
    }),
  },
  {
    id: 'pyramidkv',
    label: 'PyramidKV',
    source: 'Cai et al., 2024; NVIDIA kvpress. Small budgets stay a pyramid',
    defaults: 'beta 20 as in kvpress; scores as SnapKV here.',
    policy: (budget) => ({
      budget,
      allocator: { type: 'pyramid', beta: 20 },
      scorer: window,
      reducers: { rows: { type: 'sum' }, pool: avgPool5, group: 'mean' },
      selector: keepsWindow,
    }),
  },
  {
    id: 'adakv',
    label: 'AdaKV',
    source: 'Feng et al., 2024; NVIDIA kvpress',
    defaults: 'Floor 0.2 as in kvpress; scores as SnapKV here.',
    policy: (budget) => ({
      budget,
      allocator: { type: 'ada', floor: 0.2 },
      scorer: window,
      reducers: { rows: { type: 'mean' }, pool: avgPool5, group: 'mean' },
      selector: keepsWindow,
    }),
  },
  {
    id: 'cake',
    label: 'CAKE',
    source: 'Qin et al., 2025; antgroup/cakekv',
    defaults:
      'gamma 200, average pooling of 5, and tau 1.6 and 0.4 (Llama-3.1-8B at 1,024) are the code’s; its window of 32 is scaled to 16.',
    policy: (budget) => ({
      budget,
      trigger: { type: 'layer-cascade' },
      allocator: { type: 'entropy-variance', tau1: 1.6, tau2: 0.4 },
      scorer: window,
      reducers: { rows: { type: 'mean-variance', gamma: 200 }, pool: avgPool5, group: 'mean' },
      selector: keepsWindow,
    }),
  },
];

const BY_KEYS: readonly PolicyPreset[] = [
  {
    id: 'keydiff',
    label: 'KeyDiff',
    source: 'Park et al., 2025; NVIDIA kvpress',
    defaults: 'No numbers: minus the cosine to the mean normalised key, after RoPE.',
    policy: (budget) => ({ budget, scorer: { type: 'key-mean-cosine', rope: 'after' } }),
  },
  {
    id: 'expected-attention',
    label: 'Expected Attention',
    source: 'NVIDIA kvpress',
    defaults:
      'The mean rotation of the next 512 positions, the covariance, the value norm and 4 sinks, kept and left out of the statistics, as in kvpress.',
    policy: (budget) => ({
      budget,
      scorer: { type: 'expected-attention', futureTokens: 512, sinkTokens: SINKS },
    }),
  },
];

const BY_HEADS: readonly PolicyPreset[] = [
  {
    id: 'duo-attention',
    label: 'DuoAttention',
    source:
      'Xiao et al., 2024; mit-han-lab/duo-attention. Gates are the mean-query estimate of NVIDIA kvpress unless others are given, not trained',
    defaults:
      'The span of 500 positions is kvpress’s; the code’s windows of 64 and 256 are scaled to 4 and at least 12.',
    policy: (budget) => ({
      budget,
      trigger: { type: 'on-append' },
      classifier: { type: 'mean-query', spanTokens: 500 },
      allocator: { type: 'classes', otherTokens: WINDOW },
      selector: { sinkTokens: SINKS, recent: { type: 'rest' } },
    }),
  },
  {
    id: 'razor-attention',
    label: 'RazorAttention',
    source:
      'Tang et al., 2024; no public code. Full heads are those of the strongest echo or induction that the budget pays for',
    defaults:
      'All numbers are ours: 32 random tokens of the context, or of given samples, four times, 4 sinks, at least 12 recent tokens.',
    policy: (budget) => ({
      budget,
      classifier: { type: 'echo-induction', randomTokens: 32, repeats: 4 },
      allocator: { type: 'classes', otherTokens: WINDOW },
      selector: { sinkTokens: SINKS, recent: { type: 'rest' } },
      action: { type: 'compensate', keepCount: true },
    }),
  },
];

export const PRESETS: readonly PolicyPreset[] = [
  ...SIMPLE,
  ...BY_ATTENTION,
  ...BY_KEYS,
  ...BY_HEADS,
];
