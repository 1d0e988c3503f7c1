import { checkCell, NOTHING_SHARED, presetServed, servedCells } from './serving-cells';
import type { Method } from './types';

const schedulers = 'serving: schedulers';
const apart = 'serving: phases apart';
const reuse = 'serving: reuse of KV';
const plans = 'serving: plans and devices';

const ownSimulator = 'a composed strategy of it: the check runs a small simulator of its own';

/** Methods that decide what runs when and where: a check each, and a strategy where it is one. */
export const SERVING_METHODS: readonly Method[] = [
  {
    id: 'sarathi',
    name: 'SARATHI',
    part: schedulers,
    says: 'Prompts in chunks, each with decodes on top, so that iterations are alike and stages of a pipeline do not wait.',
    cells: [checkCell('sarathi')],
    leavesOut: 'a load to serve: see Sarathi-Serve, which is the same rule online',
  },
  {
    id: 'sarathi-serve',
    name: 'Sarathi-Serve',
    part: schedulers,
    says: 'Every running request decodes in every iteration, and chunks of prompts fill what is left of a token budget.',
    cells: [checkCell('sarathi-serve'), ...presetServed('sarathi-serve')],
  },
  {
    id: 'deepspeed-fastgen',
    name: 'DeepSpeed-FastGen',
    part: schedulers,
    says: 'Dynamic SplitFuse: long prompts are cut and short ones put together, so that every forward pass has the same number of tokens.',
    cells: [checkCell('deepspeed-fastgen'), ...servedCells({ type: 'sarathi', tokenBudget: 2048 })],
    leavesOut: 'its engine; the strategy is decodes first and chunks within a budget',
  },
  {
    id: 'jitserve',
    name: 'JITServe',
    part: schedulers,
    says: 'Requests with time limits of three kinds go by what they are worth per second of work left; a window of like lengths has the seats.',
    cells: [
      checkCell('jitserve'),
      ...presetServed('jitserve', {
        type: 'synthetic',
        requests: 300,
        ratePerSecond: 6,
        limits: { type: 'mix' },
      }),
    ],
    leavesOut:
      'its quantile forest: guesses here are the truth times an error; rewards of other forms',
  },

  {
    id: 'fastswitch',
    name: 'FastSwitch',
    part: schedulers,
    says: 'Swapping in groups of blocks, beside computing, and only of what is new since the last time.',
    cells: [
      checkCell('fastswitch'),
      ...presetServed('fastswitch', {
        type: 'synthetic',
        requests: 300,
        ratePerSecond: 1,
        program: { type: 'chat' },
      }),
    ],
    leavesOut:
      'choosing between waiting and copying beside by what pays; several threads that issue copies',
  },

  {
    id: 'continuum',
    name: 'Continuum',
    part: schedulers,
    says: 'KV of an agent stays pinned while its tool runs, for the time that pays, and programs go in the order in which they came.',
    cells: [checkCell('continuum'), ...presetServed('continuum')],
    leavesOut: `programs in the load below, whose requests come each on its own; ${NOTHING_SHARED}`,
  },
  {
    id: 'saga',
    name: 'SAGA',
    part: schedulers,
    says: 'Agents as the unit of scheduling: eviction by the chance that a step comes back, requests where their session is, idle replicas that take over.',
    cells: [
      checkCell('saga'),
      ...presetServed('saga', {
        type: 'synthetic',
        requests: 300,
        ratePerSecond: 0.1,
        program: { type: 'agent' },
      }),
    ],
    leavesOut: 'its graph of steps beyond the tool that was called, shares of capacity by tenant',
  },

  {
    id: 'stream2llm',
    name: 'Stream2LLM',
    part: schedulers,
    says: 'A prompt is computed while the rest of it is still being retrieved.',
    cells: [checkCell('stream2llm')],
    leavesOut: ownSimulator,
  },
  {
    id: 'distserve',
    name: 'DistServe',
    part: apart,
    says: 'Prefill and decoding on replicas of their own, each with the parallelism that suits it; KV moves over a link.',
    cells: [checkCell('distserve'), ...servedCells({ type: 'distserve' })],
    leavesOut: 'the search for a placement below; a plan cell does it',
  },
  {
    id: 'pd-serve',
    name: 'P/D-Serve',
    part: apart,
    says: 'Prefill replicas refuse what they cannot take at once and the gateway asks again; the ratio of both pools follows the load.',
    cells: [
      checkCell('pd-serve'),
      ...servedCells({
        type: 'composed',
        name: 'P/D-Serve',
        topology: { type: 'pools', prefillReplicas: 2, decodeReplicas: 2 },
        router: { type: 'reject-retry' },
        preemption: { type: 'recompute', victim: 'latest-arrival' },
      }),
    ],
    leavesOut: 'changing the ratio below, groups by scenario, and contiguous transfers',
  },
  {
    id: 'epd',
    name: 'EPD',
    part: apart,
    says: 'Images are encoded by workers of their own, all of one request at once, before prefill and decoding; workers change their stage.',
    cells: [
      checkCell('epd'),
      ...presetServed('epd', {
        type: 'synthetic',
        requests: 300,
        ratePerSecond: 3,
        lengths: { model: 'fixed', promptTokens: 100, outputTokens: 64 },
        images: { type: 'uniform' },
      }),
    ],
    leavesOut: 'the search over plans, pulling by a threshold between encoding and prefill',
  },

  {
    id: 'lmcache',
    name: 'LMCache',
    part: reuse,
    says: 'KV in host memory and on a disk below the accelerator, loaded layer by layer beside the prefill.',
    cells: [checkCell('lmcache'), ...presetServed('lmcache')],
    leavesOut: `a remote store, moving and pinning; ${NOTHING_SHARED}`,
  },
  {
    id: 'kvshare',
    name: 'KVShare',
    part: reuse,
    says: 'Fragments of KV shared over tenants, and who has most of its prompt found goes first.',
    cells: [
      checkCell('kvshare'),
      ...servedCells({
        type: 'composed',
        name: 'most found first',
        priority: { type: 'hit-ratio' },
        prefixIndex: { type: 'block-hash' },
      }),
    ],
    leavesOut: `fragments at any place and the tokens that decodes compute again; ${NOTHING_SHARED}`,
  },
  {
    id: 'batchllm',
    name: 'BatchLLM',
    part: reuse,
    says: 'Offline: requests with one prefix are found beforehand and served together.',
    cells: [checkCell('batchllm')],
    leavesOut: ownSimulator,
  },
  {
    id: 'category-aware-semantic-cache',
    name: 'Category-aware semantic cache',
    part: reuse,
    says: 'Answers found again by likeness of questions, with thresholds and lifetimes for each category.',
    cells: [checkCell('category-aware-semantic-cache')],
    leavesOut: 'the embeddings: whether two questions are alike is drawn',
  },
  {
    id: 'apex',
    name: 'APEX',
    part: plans,
    says: 'Finds how to spread a model over accelerators by simulating the plans.',
    cells: [
      checkCell('apex'),
      {
        id: 'load',
        kind: 'workload',
        params: { source: { type: 'generator', requests: 200 } },
      },
      { id: 'serve', kind: 'serve', inputs: ['load'], params: {} },
      { id: 'plan', kind: 'plan', inputs: ['serve'], params: {} },
    ],
    leavesOut: 'its templates of cells; the plan cell searches replicas, degrees and pools',
  },
  {
    id: 'megatron-lm',
    name: 'Megatron-LM',
    part: plans,
    says: 'Tensor, pipeline and data parallelism together, and where each of them belongs.',
    cells: [checkCell('megatron-lm')],
    leavesOut: 'training as a run: the check is of its formulas',
  },
  {
    id: 'mirror-sd',
    name: 'Mirror speculative decoding',
    part: plans,
    says: 'Draft and target run at once on two kinds of devices, each speculating on the other.',
    cells: [checkCell('mirror-sd')],
    leavesOut: ownSimulator,
  },
  {
    id: 'atts',
    name: 'ATTS',
    part: plans,
    says: 'Test-time scaling with draft and target that do not wait for each other.',
    cells: [checkCell('atts')],
    leavesOut: ownSimulator,
  },
];
