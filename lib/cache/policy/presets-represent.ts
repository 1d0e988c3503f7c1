import { type CacheBudget, type CachePolicyInput, cachePolicy } from '../../spec/cache-policy';
import type { Transformer, TransformerConfig } from '../../transformer/types';
import type { CacheSession } from '../types';
import { slotsPerHead } from './budget';
import type { PolicyEntry, PolicyOptions } from './registry';
import { openPolicySession, type PolicySession } from './run';

/** A published way to hold slots in another form, as a policy. */
interface RepresentPreset {
  readonly id: string;
  readonly label: string;
  readonly source: string;
  readonly defaults: string;
  /**
   * What the budget is of: `slots` that are kept as they are, `numbers` that are left of each slot,
   * or nothing, where the bytes are the form's own and read back.
   */
  readonly budget: 'slots' | 'numbers' | 'none';
  /**
   * @param share of the context's slots or numbers that the budget comes to, 0..1
   * @param config groups of channels are made to divide it
   */
  policy(share: number, budget: CacheBudget, config: TransformerConfig): CachePolicyInput;
}

const WHOLE: CacheBudget = { type: 'ratio', share: 1 };
/** H2O's choice: half heavy hitters, half recent. */
const heavyHitters = {
  scorer: { type: 'attention', queries: 'all' },
  selector: { recent: { type: 'share', share: 0.5 } },
} as const;

/** The largest number that divides both. */
function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

const atMostOne = (share: number) => Math.min(1, share);

const QUANTISED: readonly RepresentPreset[] = [
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
      '2 bits, keys per channel and values per token are the paper’s; groups of 32 and a window of 32 are ours. The budget is not used.',
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

/** The presets as policies. */
export const REPRESENTING: readonly PolicyEntry[] = REPRESENT_PRESETS.map(
  ({ budget: budgetOf, policy, ...about }) => ({
    ...about,
    queryAware: false,
    budgetOf,
    open: (model, budget, options = {}) => openAtPrefill(model, budget, options, policy),
  }),
);

/** A session whose policy is made when the context is known: a share of numbers needs its length. */
function openAtPrefill(
  model: Transformer,
  budget: CacheBudget,
  { storage, samples }: PolicyOptions,
  policyAt: RepresentPreset['policy'],
) {
  let session: PolicySession | undefined;
  const opened = () => {
    if (!session) throw new Error('no context: prefill comes first');
    return session;
  };
  return {
    prefill(context, options) {
      const slots = slotsPerHead(budget, context.length, model.config, storage ?? 'f16');
      const parsed = cachePolicy.parse({
        ...policyAt(slots / context.length, budget, model.config),
        ...(storage ? { storage } : {}),
      });
      session = openPolicySession(parsed, model, samples ? { samples } : {});
      session.prefill(context, options);
    },
    ask: (question, count, stop) => opened().ask(question, count, stop),
    rewind: () => opened().rewind(),
    ledger: () => opened().ledger(),
    slots: (layer, kvHead) => opened().slots(layer, kvHead),
    dropped: (layer, kvHead) => opened().dropped(layer, kvHead),
  } satisfies CacheSession;
}
