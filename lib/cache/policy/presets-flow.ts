import type { CacheBudget } from '../../spec/cache-policy';
import type { Transformer, TransformerConfig } from '../../transformer/types';
import { fastKvSession } from '../depth/fast-kv';
import { lazyLlmSession } from '../depth/lazy-llm';
import { kvPredictionSession, swiftKvSession } from '../depth/predicted-session';
import { tempCacheSession } from '../depth/temp-cache';
import { loopServeSession } from '../retrieve/loop-serve';
import { lserveSession } from '../retrieve/lserve';
import { questSession } from '../retrieve/quest';
import { rekvSession } from '../retrieve/rekv';
import { resvSession } from '../retrieve/resv';
import { shadowKvSession } from '../retrieve/shadow-kv';
import type { SessionFactory } from '../types';
import { slotsPerHead } from './budget';
import { echoInduction, echoInductionGates, type HeadGates } from './classify';
import { lateSession } from './late-session';
import type { PolicyEntry } from './registry';

interface AtContext {
  /** Share of the context that the budget pays for in f16, above 0 and up to 1. */
  readonly share: number;
  readonly contextTokens: number;
  readonly config: TransformerConfig;
}

type About = Pick<PolicyEntry, 'id' | 'label' | 'source' | 'defaults' | 'budgetOf'>;

function shareOf(budget: CacheBudget, contextTokens: number, config: TransformerConfig): number {
  return slotsPerHead(budget, contextTokens, config, 'f16') / contextTokens;
}

/** A policy that looks at queries and has a budget of context slots per query or per head. */
function budgeted(
  about: About,
  make: (at: AtContext, model: Transformer) => SessionFactory,
): PolicyEntry {
  return {
    ...about,
    queryAware: true,
    open: (model, budget) =>
      lateSession(model, ({ length }) => {
        const { config } = model;
        const share = shareOf(budget, length, config);
        return make({ share, contextTokens: length, config }, model);
      }),
  };
}

/** Fits are kept with the samples that they were made from. */
function fittedOnSamples(
  about: About,
  make: (samples: (model: Transformer) => readonly (readonly number[])[]) => SessionFactory,
): PolicyEntry {
  const bySamples = new WeakMap<object, SessionFactory>();
  return {
    ...about,
    queryAware: false,
    open(model, _, { samples } = {}) {
      if (!samples) return lateSession(model, (context) => make(() => [context]));
      const factory = bySamples.get(samples) ?? make(() => samples);
      bySamples.set(samples, factory);
      return factory.open(model);
    },
  };
}

const gatesOfModel = new WeakMap<Transformer, HeadGates>();

/** How strongly each head repeats what came before: measured once for a model. */
function retrievalGates(model: Transformer): HeadGates {
  const known = gatesOfModel.get(model);
  if (known) return known;
  const scores = echoInduction(model, { randomTokens: 32, repeats: 4, seed: 7 });
  const gates = echoInductionGates(scores, model.config);
  gatesOfModel.set(model, gates);
  return gates;
}

const RETRIEVING: readonly PolicyEntry[] = [
  budgeted(
    {
      id: 'quest',
      budgetOf: 'attended',
      label: 'Quest',
      source: 'Tang et al., 2024',
      defaults: 'Pages of 16 are ours; all layers retrieve. The budget is what a query attends to.',
    },
    ({ share }) => questSession({ share }),
  ),
  budgeted(
    {
      id: 'shadowkv',
      budgetOf: 'attended',
      label: 'ShadowKV',
      source: 'Sun et al., 2024; bytedance/ShadowKV',
      defaults:
        'Rank 160 of 1,024 channels, 24 outlier chunks per 1,024 tokens and 4 local chunks are the code’s; its chunks of 8 are 4 here.',
    },
    ({ share }) => shadowKvSession({ share, chunkTokens: 4 }),
  ),
  budgeted(
    {
      id: 'rekv',
      budgetOf: 'attended',
      label: 'ReKV',
      source: 'Di et al., 2025; Becomebright/ReKV',
      defaults:
        'Clamped places are the code’s; blocks of 16 and a window of 128 are ours (the code: a frame and 15,000). The budget is the blocks retrieved.',
    },
    ({ share, contextTokens }) =>
      rekvSession({ blocks: Math.max(1, Math.floor((share * contextTokens) / 16)) }),
  ),
  {
    id: 'v-rex',
    budgetOf: 'none',
    label: 'ReSV (V-Rex)',
    source: 'V-Rex, 2025, from its abstract',
    defaults:
      '12 sign bits, equal in a cluster, and half of the attention are ours; each query finds its own budget, and the one given is not used.',
    queryAware: true,
    open: (model) => resvSession({ mass: 0.5 }).open(model),
  },
  budgeted(
    {
      id: 'lserve',
      budgetOf: 'attended',
      label: 'LServe',
      source: 'Yang et al., 2025; mit-han-lab/omniserve',
      defaults:
        'Half of the heads streaming, four logical pages to a page and a choice every 4 tokens are the code’s; its lengths are scaled: pages 64 to 16, sinks 128 to 4, recent 256 to 32. Keys and values stay in f16, where the code has 8 or 4 bits. Streaming heads are those of the weakest echo and induction over 32 random tokens four times, not by trained gates.',
    },
    ({ share }, model) =>
      lserveSession({
        share,
        pageTokens: 16,
        logicalTokens: 4,
        sinkTokens: 4,
        recentTokens: 32,
        gates: retrievalGates(model),
      }),
  ),
  budgeted(
    {
      id: 'loopserve',
      budgetOf: 'attended',
      label: 'LoopServe, decoding',
      source: 'Li et al., 2025, from its abstract',
      defaults: 'A choice every 4 tokens is ours.',
    },
    ({ share }) => loopServeSession({ share }),
  ),
];

const IN_DEPTH: readonly PolicyEntry[] = [
  budgeted(
    {
      id: 'fastkv',
      label: 'FastKV',
      source: 'Jo et al., 2025; dongwonjo/FastKV',
      defaults:
        'Window 8, pooling 7 and twice as many tokens going on as are kept are the code’s; tokens are pruned behind the layer below the middle, as there.',
    },
    ({ share }) => fastKvSession({ retainShare: share, propagateShare: Math.min(1, 2 * share) }),
  ),
  budgeted(
    {
      id: 'lazyllm',
      budgetOf: 'attended',
      label: 'LazyLLM',
      source: 'Fu et al., 2024, from its abstract',
      defaults:
        'The same share is dropped behind every layer, so that the last one sees the budget; ours.',
    },
    ({ share, config }) =>
      lazyLlmSession({ dropShare: 1 - share ** (1 / Math.max(1, config.layers - 1)) }),
  ),
  fittedOnSamples(
    {
      id: 'swiftkv',
      budgetOf: 'none',
      label: 'SwiftKV, closed form',
      source: 'Qiao et al., 2024; snowflakedb/ArcticTraining',
      defaults:
        'Half of the layers run, as in the paper; a ridge fit stands for its distillation. The budget is not used.',
    },
    (samples) => swiftKvSession({ samples }),
  ),
  fittedOnSamples(
    {
      id: 'kv-prediction',
      budgetOf: 'none',
      label: 'KV prediction, closed form',
      source: 'Horton et al., 2024; apple/corenet',
      defaults:
        'The lower half of the model is the auxiliary one; a ridge fit stands for the training. The budget is not used.',
    },
    (samples) => kvPredictionSession({ samples }),
  ),
  {
    id: 'tempcache',
    budgetOf: 'none',
    label: 'TempCache',
    source: 'Fast Autoregressive Video Diffusion, 2026, from its abstract',
    defaults: 'Cosine 0.9 is ours; the number of slots follows from it, not from the budget.',
    queryAware: false,
    open: (model) => tempCacheSession().open(model),
  },
];

/** Policies that choose slots per query, or act along the layers. */
export const FLOW_PRESETS: readonly PolicyEntry[] = [...RETRIEVING, ...IN_DEPTH];
