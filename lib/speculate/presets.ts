import { POLICIES } from '../cache/policies';
import type { PolicyEntry } from '../cache/policy/registry';
import type { CacheBudget } from '../spec/cache-policy';
import { jacobi } from './jacobi';
import { ngramLookup } from './ngram-lookup';
import { policyDrafter } from './policy-drafter';
import { retrievedDrafter } from './retrieved-drafter';
import { type DrafterMaker, speculative } from './speculative-session';

/** A way to draft, as it is offered; the text is the full cache's with each. */
export interface SpeculationPreset {
  readonly id: string;
  readonly label: string;
  readonly source: string;
  readonly defaults: string;
  drafter(budget: CacheBudget): DrafterMaker;
}

/** Drafting with a cache policy at a budget. */
export function selfSpeculation(policy: PolicyEntry): SpeculationPreset {
  return {
    id: `draft-${policy.id}`,
    label: `${policy.label} drafts`,
    source: `self-speculation; ${policy.source}`,
    defaults: policy.defaults,
    drafter: (budget) => ({
      label: `${policy.label} drafts`,
      open: (model) =>
        policyDrafter(model, { label: policy.label, open: (same) => policy.open(same, budget) }),
    }),
  };
}

const WITHOUT_A_CACHE: readonly SpeculationPreset[] = [
  {
    id: 'draft-lookup',
    label: 'n-gram lookup drafts',
    source: 'prompt lookup decoding',
    defaults: 'Runs of up to 3 tokens; ours.',
    drafter: () => ({ label: 'n-gram lookup', open: () => ngramLookup() }),
  },
  {
    id: 'draft-jacobi',
    label: 'Jacobi',
    source: 'Santilli et al., 2023',
    defaults: 'No numbers but the block, which is the draft length.',
    drafter: () => ({ label: 'Jacobi', open: () => jacobi({ poolSize: 0 }) }),
  },
  {
    id: 'draft-jacobi-recycled',
    label: 'Jacobi, recycled',
    source: 'Hu et al., 2025; hao-ai-lab/JacobiForcing, without its training',
    defaults: 'A pool of 4 is the code’s; n-grams of 4 are ours.',
    drafter: () => ({ label: 'Jacobi, recycled', open: () => jacobi() }),
  },
  {
    id: 'draft-rapid',
    label: 'retrieved context drafts',
    source: 'RAPID (Chen et al., 2025) with one model and no shift of the target',
    defaults: 'Two pieces of 16 tokens, found by rare tokens of the question; ours.',
    drafter: () => ({
      label: 'retrieved context',
      open: (model) => retrievedDrafter(model, { chunkTokens: 16, chunks: 2 }),
    }),
  },
];

/** Tokens drafted per round unless another number is asked for. */
export const DRAFT_TOKENS = 4;

/** Every way to draft, by id: those without a cache, and one for each cache policy. */
export const SPECULATION: ReadonlyMap<string, SpeculationPreset> = new Map(
  [...WITHOUT_A_CACHE, ...[...POLICIES.values()].map(selfSpeculation)].map((preset) => [
    preset.id,
    preset,
  ]),
);

/** Speculation as a policy: the bytes of the full cache and of the drafter's, the answers of the full cache. */
export function speculationEntry(id: string, draftTokens = DRAFT_TOKENS): PolicyEntry {
  const preset = SPECULATION.get(id);
  if (!preset) {
    throw new RangeError(
      `unknown drafter: ${id} (expected one of ${[...SPECULATION.keys()].join(', ')})`,
    );
  }
  const { label, source, defaults } = preset;
  return {
    id,
    label,
    source,
    defaults,
    queryAware: false,
    open: (model, budget) => speculative(preset.drafter(budget), draftTokens).open(model),
  };
}
