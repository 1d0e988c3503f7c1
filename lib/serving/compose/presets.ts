import { type ComposedStrategy, composedStrategy } from '../../spec/kinds/serve-parts';
import { ORDER_PRESETS } from './order-presets';
import { REUSE_PRESETS } from './reuse-presets';
import { SHARE_PRESETS } from './share-presets';

/** Where a rule was read, weakest link first named. */
export type Evidence =
  | 'parity: equal to reference runs to 1e-9 s'
  | "read in the authors' code"
  | 'textbook rule'
  | 'from the paper, not checked against code';

export interface StrategyPreset {
  readonly id: string;
  readonly title: string;
  /** Who published it. */
  readonly source: string;
  readonly evidence: Evidence;
  /** The whole rule, in one screen. */
  readonly rule: string;
  readonly strategy: ComposedStrategy;
}

type Parts = Omit<Partial<Record<keyof ComposedStrategy, unknown>>, 'type'>;

const make = (parts: Parts): ComposedStrategy =>
  composedStrategy.parse({ type: 'composed', ...parts });

const paged = { type: 'recompute', victim: 'latest-arrival' };
const sarathiParts = {
  admission: { type: 'watermark' },
  batchFormer: { type: 'decode-first', tokenBudget: 512 },
  chunker: { type: 'budget' },
};

/** Published strategies as data: what a part says here is all there is to it. */
export const STRATEGY_PRESETS: readonly StrategyPreset[] = [
  {
    id: 'static',
    title: 'static batching (FasterTransformer)',
    source: 'FasterTransformer, as in Vidur (Agrawal et al., 2024)',
    evidence: 'parity: equal to reference runs to 1e-9 s',
    rule: 'a batch is formed only when nothing runs: whatever waits at that moment, whole prompts together, each with a slot for the longest request. nothing joins until the last of the batch is done. the batch shrinks as requests end, but their slots stay taken. prompts are not padded.',
    strategy: make({
      name: 'static',
      admission: { type: 'fits', maxSequences: 32 },
      batchFormer: { type: 'static' },
      chunker: { type: 'whole' },
      preemption: { type: 'none' },
      kvAlloc: { type: 'contiguous-max', maxTokens: 8192 },
    }),
  },
  {
    id: 'one-at-a-time',
    title: 'one request at a time',
    source: 'no batching: the lower end of every comparison',
    evidence: 'textbook rule',
    rule: 'a replica takes one request, computes its prompt, generates to the end, and takes the next one in order of arrival.',
    strategy: make({
      name: 'one at a time',
      admission: { type: 'whole-request', maxSequences: 1 },
      batchFormer: { type: 'static' },
      chunker: { type: 'whole' },
      preemption: { type: 'none' },
    }),
  },
  {
    id: 'orca',
    title: 'Orca',
    source: 'Orca (Yu et al., 2022), as in Vidur',
    evidence: 'parity: equal to reference runs to 1e-9 s',
    rule: 'the batch is decided anew at every iteration. every running request gets one token, and waiting requests join with their whole prompt, in order of arrival, while there is a slot of the longest length. no preemption is ever needed, since every request owns its slot.',
    strategy: make({
      name: 'Orca',
      admission: { type: 'fits', maxSequences: 128 },
      batchFormer: { type: 'iteration-level' },
      chunker: { type: 'whole' },
      preemption: { type: 'none' },
      kvAlloc: { type: 'contiguous-max', maxTokens: 8192 },
    }),
  },
  {
    id: 'vllm-v0',
    title: 'vLLM V0',
    source: 'vLLM (Kwon et al., 2023), as in Vidur',
    evidence: 'parity: equal to reference runs to 1e-9 s',
    rule: 'paged KV blocks. if any waiting prompt fits above the watermark, an iteration of prompts alone runs; otherwise every running request gets one token. the token limit counts padded prompts. when decoding is short of a block, the request that arrived last is dropped and computed again.',
    strategy: make({
      name: 'vLLM V0',
      batchFormer: { type: 'prefill-first', maxBatchedTokens: 4096, counting: 'padded' },
      chunker: { type: 'whole' },
      preemption: paged,
    }),
  },
  {
    id: 'vllm-v0-swap',
    title: 'vLLM V0 with swapping',
    source: 'vLLM (Kwon et al., 2023), the other of its two recoveries',
    evidence: 'from the paper, not checked against code',
    rule: 'as vLLM V0, but the preempted request keeps its KV in host memory. it comes back before anything new enters, when its blocks fit above the watermark. both copies hold up the iteration that they belong to.',
    strategy: make({
      name: 'vLLM V0, swap',
      batchFormer: { type: 'prefill-first', maxBatchedTokens: 4096, counting: 'padded' },
      chunker: { type: 'whole' },
      preemption: { type: 'swap', victim: 'latest-arrival', hostGigabytesPerSecond: 25 },
    }),
  },
  {
    id: 'lightllm',
    title: 'LightLLM',
    source: 'LightLLM, as in Vidur',
    evidence: 'parity: equal to reference runs to 1e-9 s',
    rule: 'prompts alone in an iteration, then up to ten iterations of decoding before the queue is looked at again. a request enters if the KV tokens at the fullest future iteration stay under the memory, which needs the true output lengths: an oracle. Vidur runs it with blocks of one token.',
    strategy: make({
      name: 'LightLLM',
      admission: { type: 'future-peak', maxSequences: 128 },
      batchFormer: {
        type: 'prefill-first',
        maxBatchedTokens: 4096,
        counting: 'sum',
        patience: 10,
      },
      chunker: { type: 'whole' },
      preemption: paged,
    }),
  },
  {
    id: 'sarathi-serve',
    title: 'Sarathi-Serve',
    source: 'Sarathi-Serve (Agrawal et al., 2024), as in Vidur',
    evidence: 'parity: equal to reference runs to 1e-9 s',
    rule: 'every running request gets one token first, so no prompt ever stalls a decode. unfinished prompts and then waiting ones share what is left of the token budget, in chunks. the blocks of a whole prompt are taken when it enters. the request admitted last is preempted first.',
    strategy: make({
      name: 'Sarathi-Serve',
      ...sarathiParts,
      preemption: { type: 'recompute', victim: 'last-admitted' },
    }),
  },
  {
    id: 'sjf',
    title: 'shortest job first',
    source: 'shortest job first over predicted output lengths',
    evidence: 'textbook rule',
    rule: 'Sarathi-Serve iterations, but the waiting request with the shortest output enters first. the length is an oracle; a prediction error turns it into a guess. long requests may starve: give waiting a precedence in tokens per second.',
    strategy: make({
      name: 'SJF',
      ...sarathiParts,
      priority: { type: 'sjf', by: 'output' },
      preemption: { type: 'recompute', victim: 'lowest-priority' },
    }),
  },
  {
    id: 'srpt',
    title: 'shortest remaining processing time',
    source: 'SRPT (Schrage, 1968) over tokens left',
    evidence: 'textbook rule',
    rule: 'the waiting request with the fewest tokens left enters first, and takes the place of a running one with more left if there is none free. the displaced one is computed again from its prompt and what it has generated: the price that the textbook rule does not have.',
    strategy: make({
      name: 'SRPT',
      ...sarathiParts,
      priority: { type: 'srpt' },
      preemption: { type: 'recompute', victim: 'lowest-priority', forPriority: true },
    }),
  },
  {
    id: 'edf',
    title: 'earliest deadline first',
    source: 'EDF (Liu and Layland, 1973) over first-token deadlines',
    evidence: 'textbook rule',
    rule: 'the waiting request whose first token is due first enters first. its deadline is its arrival plus a base plus a time per prompt token, so a short prompt overtakes a long one that came a little earlier. with no time per token this is first come first served.',
    strategy: make({
      name: 'EDF',
      ...sarathiParts,
      priority: { type: 'edf' },
      preemption: { type: 'recompute', victim: 'lowest-priority' },
    }),
  },
  {
    id: 'vtc',
    title: 'virtual token counter',
    source: 'VTC (Sheng et al., 2024)',
    evidence: 'from the paper, not checked against code',
    rule: 'every client has a counter of the tokens it was served, output tokens weighing double. the waiting client with the smallest counter goes first. a client that comes back is lifted to the smallest counter among those that wait, so that idleness saves up nothing. give the workload several clients to see it act.',
    strategy: make({
      name: 'VTC',
      ...sarathiParts,
      priority: { type: 'vtc' },
      preemption: { type: 'recompute', victim: 'last-admitted' },
    }),
  },
  {
    id: 'lcfs',
    title: 'last come first served',
    source: 'the queue turned round: what an overloaded stack does',
    evidence: 'textbook rule',
    rule: 'Sarathi-Serve iterations, but the request that arrived last enters first. under overload the newest meet their deadlines and the oldest never run, where first come first served makes all of them late.',
    strategy: make({
      name: 'LCFS',
      ...sarathiParts,
      priority: { type: 'lcfs' },
      preemption: { type: 'recompute', victim: 'last-admitted' },
    }),
  },
  {
    id: 'splitwise',
    title: 'Splitwise-style pools',
    source: 'Splitwise (Patel et al., 2024), without its mixed pool',
    evidence: 'from the paper, not checked against code',
    rule: 'prompts run in one pool and decoding in another, each request going to the replica with the fewest unfinished tokens. the KV cache is sent while the prompt is computed, so that only a tenth of the transfer is waited for. the published system also lends machines between the pools; these do not move.',
    strategy: make({
      name: 'Splitwise',
      topology: { type: 'pools', linkGigabytesPerSecond: 25, overlap: 0.9 },
      router: { type: 'least-tokens' },
      batchFormer: { type: 'prefill-first', maxBatchedTokens: 2048, counting: 'sum' },
      chunker: { type: 'whole' },
      preemption: paged,
    }),
  },
  ...REUSE_PRESETS,
  ...SHARE_PRESETS,
  ...ORDER_PRESETS,
];

/** The strategy of a preset. @throws Error for an unknown id */
export function presetOfId(id: string): ComposedStrategy {
  const found = STRATEGY_PRESETS.find((each) => each.id === id);
  if (found === undefined) throw new Error(`unknown strategy preset: "${id}"`);
  return found.strategy;
}

/** The preset of exactly these parts; name, replicas and pool sizes aside. */
export function presetOf(strategy: ComposedStrategy): StrategyPreset | undefined {
  const key = JSON.stringify(withoutCounts(strategy));
  return STRATEGY_PRESETS.find((each) => JSON.stringify(withoutCounts(each.strategy)) === key);
}

/** A preset's parts on as many replicas as there are now. */
export function presetStrategy(
  preset: StrategyPreset,
  current: ComposedStrategy | undefined,
): ComposedStrategy {
  const { topology } = preset.strategy;
  if (current?.topology.type === 'colocated' && topology.type === 'colocated')
    return {
      ...preset.strategy,
      topology: { ...topology, replicas: current.topology.replicas },
    };
  return preset.strategy;
}

function withoutCounts(strategy: ComposedStrategy): object {
  const { topology } = strategy;
  return {
    ...strategy,
    name: '',
    topology:
      topology.type === 'colocated'
        ? { type: topology.type }
        : { ...topology, prefillReplicas: 1, decodeReplicas: 1 },
  };
}
