import { commonDivisor, heavyHitters, type RepresentPreset, WHOLE } from './represent-preset';

/** Slots in fewer bits. */
export const QUANTISED: readonly RepresentPreset[] = [
  {
    id: 'int8',
    label: 'int8 per token',
    source: 'a baseline: uniform asymmetric quantisation',
    defaults: 'No numbers but the bits; the budget is not used.',
    budget: 'none',
    policy: () => ({
      budget: WHOLE,
      action: { type: 'quantise', slots: 'all', form: { type: 'per-token', bits: 8 } },
    }),
  },
  {
    id: 'int4',
    label: 'int4 per token',
    source: 'a baseline: uniform asymmetric quantisation',
    defaults: 'No numbers but the bits; the budget is not used.',
    budget: 'none',
    policy: () => ({
      budget: WHOLE,
      action: { type: 'quantise', slots: 'all', form: { type: 'per-token', bits: 4 } },
    }),
  },
  {
    id: 'kivi',
    label: 'KIVI',
    source: 'Liu et al., 2024',
    defaults:
      '2 bits, keys per channel and values per token are the paper’s; groups of 32 and a window of 32 are ours; tokens of questions and answers stay in f16. The budget is not used.',
    budget: 'none',
    policy: (_share, _budget, { headSize, kvHeads }) => ({
      budget: WHOLE,
      action: {
        type: 'quantise',
        slots: 'all',
        form: { type: 'kivi', groupChannels: commonDivisor(32, headSize * kvHeads) },
        recentTokens: 32,
      },
    }),
  },
  {
    id: 'gear',
    label: 'GEAR',
    source: 'Kang et al., 2024; opengear-project/GEAR',
    defaults:
      '4 bits over whole vectors, 2 % outliers, rank 4 per head, 3 power loops and a buffer of 20 are the code’s; new tokens stay in f16. A head of 16 channels has no value outliers. The budget is not used.',
    budget: 'none',
    policy: () => ({
      budget: WHOLE,
      action: { type: 'quantise', slots: 'all', form: { type: 'gear' }, recentTokens: 20 },
    }),
  },
  {
    id: 'mikv',
    label: 'MiKV',
    source: 'Yang et al., 2024; no public code',
    defaults:
      'Few bits in place of eviction by H2O’s scores are the paper’s; 2 bits, the groups and the balancing formula are ours. The budget is the slots that stay in f16.',
    budget: 'slots',
    policy: (_share, budget, { headSize }) => ({
      budget,
      ...heavyHitters,
      action: {
        type: 'quantise',
        form: { type: 'mikv', bits: 2, groupChannels: commonDivisor(16, headSize) },
      },
    }),
  },
  {
    id: 'zipcache',
    label: 'ZipCache',
    source:
      'He et al., 2024; ThisisBillhe/ZipCache, but probe sums are over the probes that see a slot',
    defaults:
      '4 and 2 bits, half recent and half random probes are the code’s; its 10 % of probes are 52 queries at 512. The budget is the share in 4 bits (60 % in the code); nothing is compressed again while decoding.',
    budget: 'slots',
    policy: (_, budget) => ({
      budget,
      scorer: { type: 'attention', queries: 'probe', windowTokens: 52, perVisible: true },
      action: {
        type: 'quantise',
        form: { type: 'zipcache', bits: 2 },
        keptForm: { type: 'zipcache', bits: 4 },
      },
    }),
  },
  {
    id: 'zipvl',
    label: 'ZipVL, cache',
    source: 'He et al., 2024, from its abstract; the sparse attention of its prefill is left out',
    defaults:
      'The tokens that hold 0.975 of a layer’s attention in 4 bits and the others in 2 are ours, as are 32 probes. Each layer finds its own number; the budget is not used.',
    budget: 'none',
    policy: () => ({
      budget: WHOLE,
      scorer: { type: 'attention', queries: 'probe', windowTokens: 32, perVisible: true },
      reducers: { heads: 'mean' },
      selector: { rule: { type: 'top-p', share: 0.975 } },
      action: {
        type: 'quantise',
        form: { type: 'zipcache', bits: 2 },
        keptForm: { type: 'zipcache', bits: 4 },
      },
    }),
  },
  {
    id: 'vidkv',
    label: 'VidKV',
    source: 'Tao et al., 2025; KD-TAO/VidKV. Only the independent half of a spectrum is stored',
    defaults:
      'Half the key channels in 2 bits and the rest in 1, ternary values and groups of 32 are the code’s; its window of 128 is scaled to 32. The budget is not used.',
    budget: 'none',
    policy: () => ({
      budget: WHOLE,
      action: { type: 'quantise', slots: 'all', form: { type: 'vidkv' }, recentTokens: 32 },
    }),
  },
  {
    id: 'cachegen',
    label: 'CacheGen (bytes on the wire)',
    source: 'Liu et al., 2023; bins as in LMCache',
    defaults:
      'Bins by layer are LMCache’s, scaled to the depth; an anchor every 10 tokens is ours. What attends decodes the stream first. The budget is not used.',
    budget: 'none',
    policy: () => ({
      budget: WHOLE,
      action: { type: 'quantise', slots: 'all', form: { type: 'cachegen' } },
    }),
  },
];
