import { type ComposedStrategy, composedStrategy } from '../../spec/kinds/serve-parts';
import type { StrategyPreset } from './presets';

type Parts = Omit<Partial<Record<keyof ComposedStrategy, unknown>>, 'type'>;

const make = (parts: Parts): ComposedStrategy =>
  composedStrategy.parse({ type: 'composed', ...parts });

/** Published ways to use one accelerator within an iteration. */
export const SHARE_PRESETS: readonly StrategyPreset[] = [
  {
    id: 'layered-prefill',
    title: 'layered prefill',
    source: 'From Tokens to Layers (2025)',
    evidence: "read in the authors' code",
    rule: 'prompts enter whole, as a set of at most 8192 tokens. the layers are divided into 1, 2, 4, 8 or 16 groups for sets of up to 512, 1024, 2048, 4096 or more tokens. every iteration takes all decodes through all layers and the set through the next group alone, so that each layer reads the experts of a prompt once. the first token comes when the last group is done, and nothing enters before. what is left of a longer prompt is the next set. it pays with a mixture of experts: choose such a model.',
    strategy: make({
      name: 'layered prefill',
      batchFormer: { type: 'iteration-level' },
      chunker: { type: 'layer-group' },
      preemption: { type: 'recompute', victim: 'last-admitted' },
    }),
  },
  {
    id: 'semi-pd',
    title: 'semi-PD',
    source: 'semi-PD (2025); its runtime is public, the update of the shares is not',
    evidence: 'from the paper, not checked against code',
    rule: "prompts and decodes run at the same time on one accelerator, each on a share of its multiprocessors, over one pool of KV blocks: nothing is sent, and weights are there once. every second, if more than a tenth of one phase was late and the other was not, a step of the share goes to it; prompts that wait for memory do not count. sizes of step and window, the curves and the contention are parameters here, not the paper's. switching costs nothing.",
    strategy: make({
      name: 'semi-PD',
      batchFormer: { type: 'prefill-first', maxBatchedTokens: 8192, counting: 'sum' },
      partition: { type: 'slo-feedback' },
    }),
  },
  {
    id: 'nexus',
    title: 'Nexus',
    source: 'Nexus (2025), as summarized by others',
    evidence: 'from the paper, not checked against code',
    rule: "as semi-PD, but the shares are chosen at every iteration from predicted times: with KV to spare, prompts run as fast as decodes can bear, and when KV gets short, decodes as fast as prompts can bear. shares move when they change by more than a band. the shortest prompt goes first, and waiting makes it shorter. the bound of 1.2, the band and the aging are ours: the paper's are not known here.",
    strategy: make({
      name: 'Nexus',
      priority: { type: 'sjf', by: 'prompt', agingTokensPerSecond: 200 },
      batchFormer: { type: 'prefill-first', maxBatchedTokens: 2048, counting: 'sum' },
      partition: { type: 'model-driven' },
    }),
  },
  {
    id: 'flowprefill',
    title: 'FlowPrefill',
    source: 'FlowPrefill (2026)',
    evidence: "read in the authors' code",
    rule: 'the prefill replica of a pair runs the prompt of the highest sgn(slack) / deadline: those that can make it by deadline, then those that cannot, the latest first. when a prompt comes that is higher, the running one stops at its next operator, keeps its memory and what it has, and goes on later. prompts run together up to 2048 tokens, while the first keeps a tenth of its time to spare. here a batch ends at the first prompt that does not fit, prompts above 8192 tokens are not divided, and the deadline is a base and a time per prompt token.',
    strategy: make({
      name: 'FlowPrefill',
      topology: { type: 'pools' },
      priority: { type: 's-edf' },
      batchFormer: { type: 'prefill-first', maxBatchedTokens: 2048, counting: 'sum' },
      chunker: { type: 'whole' },
      preemption: { type: 'pause-at-operator' },
    }),
  },
];
