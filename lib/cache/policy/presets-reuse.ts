import { apeSession } from '../reuse/ape';
import { cacheBlendSession } from '../reuse/cache-blend';
import { cacheCraftSession } from '../reuse/cache-craft';
import { concatenatedSession, recomputedSession } from '../reuse/concatenated';
import { kvCommSession } from '../reuse/kv-comm';
import { editedSession } from '../reuse/pie';
import type { SessionFactory } from '../types';
import type { PolicyEntry } from './registry';

type About = Pick<PolicyEntry, 'id' | 'label' | 'source' | 'defaults'>;

/** Every token stays, so no budget is used. */
const reusing = (about: About, factory: SessionFactory): PolicyEntry => ({
  ...about,
  queryAware: false,
  budgetOf: 'none',
  open: (model) => factory.open(model),
});

/** Policies that put a context together from parts encoded apart, or from an earlier version of it. */
export const REUSE_PRESETS: readonly PolicyEntry[] = [
  reusing(
    {
      id: 'full-recompute',
      label: 'full recompute',
      source: 'the reference of chunk reuse and of edits: nothing is reused',
      defaults: 'No numbers; the budget is not used.',
    },
    recomputedSession,
  ),
  reusing(
    {
      id: 'concatenated',
      label: 'chunks: concatenated',
      source: 'a baseline: every chunk alone behind the shared prefix, rotated for its place',
      defaults: 'No numbers; the budget is not used.',
    },
    concatenatedSession,
  ),
  reusing(
    {
      id: 'ape',
      label: 'APE',
      source: 'Yang et al., 2025; Infini-AI-Lab/APE',
      defaults: 'T 0.9 and S 0.9 are the code’s. The budget is not used.',
    },
    apeSession(),
  ),
  reusing(
    {
      id: 'cacheblend',
      label: 'CacheBlend',
      source: 'Yao et al., 2024; YaoJiayi/CacheBlend',
      defaults: '16 % chosen at layer 1 are the code’s. The budget is not used.',
    },
    cacheBlendSession(),
  ),
  reusing(
    {
      id: 'cache-craft',
      label: 'Cache-Craft',
      source: 'Agarwal et al., 2025, from its abstract',
      defaults:
        'The form follows the paper’s outline; alpha 1 and the earlier, shuffled order of the chunks are ours. The budget is not used.',
    },
    cacheCraftSession(),
  ),
  reusing(
    {
      id: 'kvcomm',
      label: 'KVComm',
      source: 'Ye et al., 2025; FastMAS/KVCOMM',
      defaults:
        'Temperature 1 and the rule of the five oldest are the code’s; 20 anchors and the entropy threshold 0.9 are ours. The budget is not used.',
    },
    kvCommSession(),
  ),
  reusing(
    {
      id: 'edit-prefix',
      label: 'edit, prefix reused',
      source: 'what PIE is compared with: all from the edit on is run again',
      defaults: 'The edit is that of PIE here. Exact; the budget is not used.',
    },
    editedSession({ rule: 'recompute' }),
  ),
  reusing(
    {
      id: 'pie',
      label: 'PIE',
      source: 'He et al., 2024, from its abstract',
      defaults:
        'The edit is the task’s where it has one, else one chunk, or 16 tokens, put in at a seeded place of an earlier version; ours. The budget is not used.',
    },
    editedSession(),
  ),
  reusing(
    {
      id: 'edit-splice',
      label: 'edit without rotation',
      source: 'what PIE is compared with: later keys keep the rotation they had',
      defaults: 'The edit is that of PIE here. The budget is not used.',
    },
    editedSession({ rule: 'splice' }),
  ),
];
