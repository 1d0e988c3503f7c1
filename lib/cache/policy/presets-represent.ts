import { QUANTISED } from './presets-quantise';
import { heavyHitters, type RepresentPreset, WHOLE } from './represent-preset';

const atMostOne = (share: number) => Math.min(1, share);

const MERGED: readonly RepresentPreset[] = [
  {
    id: 'kvmerger',
    label: 'KVMerger',
    source: 'Wang et al., 2024; no public code',
    defaults:
      'Sets of similar neighbours and Gaussian weights are the paper’s; sets grow until the budget is met, and every slot counts its tokens.',
    budget: 'slots',
    policy: (_, budget) => ({
      budget,
      ...heavyHitters,
      action: { type: 'merge', target: 'adjacent-sets', weights: 'gaussian', similarity: 0 },
    }),
  },
  {
    id: 'look-m',
    label: 'LOOK-M',
    source: 'Wan et al., 2024; SUSTechBruce/LOOK-M, on text alone',
    defaults:
      'The first 4 slots kept and the pivotal merge into the nearest key are the code’s; every slot counts its tokens, which the code does not.',
    budget: 'slots',
    policy: (_, budget) => ({
      budget,
      scorer: heavyHitters.scorer,
      selector: { ...heavyHitters.selector, sinkTokens: 4 },
      action: { type: 'merge', target: 'nearest-key', weights: 'pivotal' },
    }),
  },
  {
    id: 'elastic-cache',
    label: 'Elastic Cache',
    source: 'Liu et al., 2024; liuzuyan/ElasticCache, with ranks where the code has an argsort',
    defaults:
      'Attention summed over queries and heads, the last token kept and the merge into the nearest position are the code’s; every slot counts its tokens, and decoding drops none.',
    budget: 'slots',
    policy: (_, budget) => ({
      budget,
      scorer: { type: 'attention', queries: 'all' },
      reducers: { heads: 'mean' },
      selector: { recent: { type: 'tokens', tokens: 1 } },
      action: { type: 'merge', target: 'nearest-position', weights: 'averaged' },
    }),
  },
];

const PROJECTED: readonly RepresentPreset[] = [
  {
    id: 'think',
    label: 'ThinK',
    source: 'Xu et al., 2024; SalesforceAIResearch/ThinK, channels really left out',
    defaults:
      '40 % of the key channels, a window of 32 queries and 32 recent tokens are the code’s; pairs go together because keys are before RoPE. The budget is not used.',
    budget: 'none',
    policy: () => ({ budget: WHOLE, action: { type: 'channel-prune' } }),
  },
  {
    id: 'xkv',
    label: 'xKV',
    source: 'Chang et al., 2025; abdelfattah-lab/xKV',
    defaults:
      'Groups of 4 layers and key to value ranks of 2 to 3 are the code’s (1/8 and 3/16 of the channels); the budget sets their mean. At short contexts the bases take more than they save.',
    budget: 'numbers',
    policy: (share) => ({
      budget: WHOLE,
      action: {
        type: 'project',
        form: {
          type: 'cross-layer',
          keyShare: atMostOne(0.8 * share),
          valueShare: atMostOne(1.2 * share),
        },
      },
    }),
  },
  {
    id: 'matryoshkakv',
    label: 'MatryoshkaKV, untrained',
    source: 'Lin et al., 2024; The-kamisato/MatryoshkaKV-cache: its start, principal components',
    defaults:
      'An orthogonal basis per head, the mean taken out and greedy ranks are the code’s; bases are this prompt’s and carried, ranks go by variance. The budget is the share of directions.',
    budget: 'numbers',
    policy: (share) => ({
      budget: WHOLE,
      action: { type: 'project', form: { type: 'principal', share } },
    }),
  },
  {
    id: 'cskv',
    label: 'CSKV, closed form',
    source: 'Wang et al., 2024; wln20/CSKV: the fit to the weights, untrained',
    defaults:
      'A low-rank key and value projection and 32 recent tokens are the code’s; the budget is the share of channels (0.25 to 0.5 in the code).',
    budget: 'numbers',
    policy: (share) => ({
      budget: WHOLE,
      action: { type: 'project', form: { type: 'projection', share }, recentTokens: 32 },
    }),
  },
  {
    id: 'shadowkv-keys',
    label: 'ShadowKV’s keys',
    source: 'Sun et al., 2024; bytedance/ShadowKV: the low-rank keys without the retrieval',
    defaults:
      'Rank 160 of 1,024 channels over all heads is the code’s, here 10 of 64; values stay. The budget is not used.',
    budget: 'none',
    policy: () => ({
      budget: WHOLE,
      action: { type: 'project', form: { type: 'low-rank', keyShare: 160 / 1024 } },
    }),
  },
  {
    id: 'minicache',
    label: 'MiniCache',
    source: 'Liu et al., 2024; as a baseline in abdelfattah-lab/xKV',
    defaults:
      'Interpolation halfway is the code’s; the upper half of the layers and 5 % of the slots unmerged are ours. The budget is not used.',
    budget: 'none',
    policy: () => ({ budget: WHOLE, action: { type: 'project', form: { type: 'spherical' } } }),
  },
];

export const REPRESENT_PRESETS: readonly RepresentPreset[] = [
  ...QUANTISED,
  ...MERGED,
  ...PROJECTED,
];
