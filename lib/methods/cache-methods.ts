import { cacheCells, cellOf } from './cells';
import type { Method } from './types';

const dropping = 'dropping and merging cached tokens';
const fewerBits = 'caches in fewer bits and numbers';
const elsewhere = 'retrieval, depth, reuse';

/** The page's model is small and its texts are made of 242 words: true of every method here. */
const ofText = 'images and video: text alone is read here';

/** Policies over the cache of the model in the page. */
export const CACHE_METHODS: readonly Method[] = [
  {
    id: 'snapkv',
    name: 'SnapKV',
    part: dropping,
    says: 'After the prompt, the attention of its last tokens votes for earlier ones, pooled along positions so that neighbours of a peak survive; the rest is evicted once per head.',
    cells: cacheCells('snapkv', { protocol: 'known' }),
    leavesOut: 'a copy of the cache for every query head: slots are kept per KV head',
  },
  {
    id: 'cake',
    name: 'CAKE',
    part: dropping,
    says: 'Layers whose attention is spread out and changes get more of one budget; it is split again after every layer of the prefill, and tokens go by the mean and the variance of the window’s attention.',
    cells: cacheCells('cake', { protocol: 'known' }),
  },
  {
    id: 'kvmerger',
    name: 'KVMerger',
    part: dropping,
    says: 'Runs of similar neighbouring keys become one slot each, a mean with Gaussian weights around the one of most attention.',
    cells: cacheCells('kvmerger'),
  },
  {
    id: 'look-m',
    name: 'LOOK-M',
    part: dropping,
    says: 'Evicts by attention, text before images, and merges every evicted token into its nearest kept key.',
    cells: cacheCells('look-m'),
    leavesOut: ofText,
  },
  {
    id: 'elastic-cache-mm',
    name: 'Elastic Cache',
    part: dropping,
    says: 'Keeps the tokens of most summed attention and merges each other into the kept one nearest in position.',
    cells: cacheCells('elastic-cache'),
    leavesOut: `${ofText}; dropping a fixed place of the cache while decoding`,
  },
  {
    id: 'quickprefill',
    name: 'QuickPrefill',
    part: dropping,
    says: 'A long video is read in groups of frames; after each group every layer keeps a share of the tokens, those with the smallest keys.',
    cells: [
      {
        id: 'cache',
        kind: 'cache',
        params: {
          entries: [
            { type: 'preset', id: 'full', share: 1 },
            { type: 'preset', id: 'random', share: 0.25 },
            { type: 'preset', id: 'key-norm', share: 0.25 },
            {
              type: 'composed',
              label: 'key norm, in groups',
              policy: {
                budget: { type: 'ratio', share: 0.25 },
                scorer: { type: 'key-norm', keep: 'low' },
                trigger: { type: 'every', tokens: 32 },
              },
            },
          ],
        },
      },
    ],
    leavesOut: `${ofText}; the decoder of videos and its overlap with the prefill; a share of each group: the budget here is of all that was read`,
  },
  {
    id: 'gear',
    name: 'GEAR',
    part: fewerBits,
    says: 'Few bits for all, the largest values apart, and a low-rank matrix per head for what the bits lost.',
    cells: cacheCells('gear'),
    leavesOut: 'the streaming buffer that is compressed again while decoding',
  },
  {
    id: 'mikv',
    name: 'MiKV',
    part: fewerBits,
    says: 'What another policy would evict stays in two bits, with keys balanced against the queries so that outliers fit.',
    cells: cacheCells('mikv'),
  },
  {
    id: 'zipcache',
    name: 'ZipCache',
    part: fewerBits,
    says: 'Probe queries find the tokens that matter, divided by how many could see each; they get four bits, the others two, after channels are scaled.',
    cells: cacheCells('zipcache'),
    leavesOut: 'compressing again every so many new tokens',
  },
  {
    id: 'vidkv',
    name: 'VidKV',
    part: fewerBits,
    says: 'Keys in two bits where a channel is wide and one elsewhere, through a Fourier transform along tokens; ternary values.',
    cells: cacheCells('vidkv'),
    leavesOut: ofText,
  },
  {
    id: 'cachegen',
    name: 'CacheGen',
    part: fewerBits,
    says: 'A cache as a stream to send: differences to an anchor every few tokens, coarser in later layers, arithmetic-coded.',
    cells: cacheCells('cachegen'),
    leavesOut: 'choosing a level of quality by the bandwidth',
  },
  {
    id: 'think',
    name: 'ThinK',
    part: fewerBits,
    says: 'Leaves out the key channels that contribute least to the attention of the last queries.',
    cells: cacheCells('think'),
    leavesOut: 'eviction before the pruning, which composes with it',
  },
  {
    id: 'xkv',
    name: 'xKV',
    part: fewerBits,
    says: 'One basis for the caches of several neighbouring layers, found at prefill by a singular value decomposition of all together.',
    cells: cacheCells('xkv', { contextTokens: 512 }),
    leavesOut: 'rebuilding only the chosen tokens while decoding',
  },
  {
    id: 'matryoshkakv',
    name: 'MatryoshkaKV',
    part: fewerBits,
    says: 'Orthogonal bases per head in order of importance, cut at a rank that each head is given greedily.',
    cells: cacheCells('matryoshkakv'),
    leavesOut: 'the training of the bases: they are the principal components that it starts from',
  },
  {
    id: 'cskv',
    name: 'CSKV',
    part: fewerBits,
    says: 'Low-rank key and value projections store a thin cache beside a window of full tokens.',
    cells: cacheCells('cskv'),
    leavesOut: 'the fine-tuning of the projections: they are fitted in closed form',
  },
  {
    id: 'shadowkv',
    name: 'ShadowKV',
    part: elsewhere,
    says: 'Low-rank keys before RoPE on the device, values in host memory; landmarks of chunks choose what a query fetches, outlier chunks stay.',
    cells: cacheCells('shadowkv', { protocol: 'known' }),
    leavesOut: 'overlap of the fetches with computing',
  },
  {
    id: 'rekv',
    name: 'ReKV',
    part: elsewhere,
    says: 'A stream is read through a window, its cache goes to host memory by blocks, and a question brings back the blocks nearest to it.',
    cells: cacheCells('rekv', { task: 'stream-qa', protocol: 'known' }),
    leavesOut: ofText,
  },
  {
    id: 'v-rex-resv',
    name: 'V-Rex (ReSV)',
    part: elsewhere,
    says: 'Similar keys share a cluster by the signs of random projections; a query takes clusters until they cover a share of its attention.',
    cells: cacheCells('v-rex', { task: 'stream-qa', protocol: 'known' }),
    leavesOut: `its accelerator; ${ofText}`,
  },
  {
    id: 'fastkv',
    name: 'FastKV',
    part: elsewhere,
    says: 'Behind a middle layer only the tokens of most attention go on through the prefill; what a layer keeps of its cache is chosen apart from that.',
    cells: cacheCells('fastkv', { protocol: 'known' }),
  },
  {
    id: 'lazyllm',
    name: 'LazyLLM',
    part: elsewhere,
    says: 'Every layer drops tokens by the attention of the last one; hidden states of the dropped are kept, so that a later step can bring them back.',
    cells: cacheCells('lazyllm', { protocol: 'known' }),
  },
  {
    id: 'swiftkv',
    name: 'SwiftKV',
    part: elsewhere,
    says: 'Keys and values of the upper layers come from one middle layer’s hidden state, so that the prompt skips the upper half.',
    cells: cacheCells('swiftkv'),
    leavesOut: 'the distillation: a ridge fit stands for it',
  },
  {
    id: 'kv-prediction',
    name: 'KV Prediction',
    part: elsewhere,
    says: 'A smaller model reads the prompt and linear maps predict the large one’s cache from its own.',
    cells: cacheCells('kv-prediction'),
    leavesOut: 'the training: the lower half of the model and a ridge fit stand for it',
  },
  {
    id: 'cacheblend',
    name: 'CacheBlend',
    part: elsewhere,
    says: 'Chunks encoded apart are put together, and the tokens whose values differ most at an early layer are computed again.',
    cells: reuseCells('cacheblend'),
    leavesOut: 'loading one layer while computing another',
  },
  {
    id: 'cache-craft',
    name: 'Cache-Craft',
    part: elsewhere,
    says: 'Tells from the attention of an earlier use how much a chunk leans on what stood before it, and computes only those tokens again.',
    cells: reuseCells('cache-craft'),
    leavesOut: 'which chunks a server keeps and where',
  },
  {
    id: 'kvcomm',
    name: 'KVComm',
    part: elsewhere,
    says: 'A chunk behind a new prefix gets the change that the most similar known chunks had there.',
    cells: reuseCells('kvcomm'),
    leavesOut: 'several agents that talk to each other',
  },
  {
    id: 'pie',
    name: 'PIE',
    part: elsewhere,
    says: 'After an edit the keys behind it are rotated to their new positions; only the tokens put in are computed.',
    cells: cacheCells('pie', { task: 'edits', beside: 'edit-splice' }),
  },
  {
    id: 'jacobi-forcing',
    name: 'Jacobi Forcing',
    part: elsewhere,
    says: 'A block of guesses is run at once and replaced by what the model picks, until it rests; picks that were thrown away are tried again.',
    cells: cellOf('speculate', { drafter: 'draft-jacobi-recycled', draftTokens: 16 }),
    leavesOut: 'the training on its own trajectories, and several blocks in flight',
  },
  {
    id: 'rapid',
    name: 'RAPID',
    part: elsewhere,
    says: 'A draft over a short retrieved context, verified over the long one.',
    cells: cellOf('speculate', { drafter: 'draft-rapid' }),
    leavesOut:
      'a drafter of another size, embeddings for the retrieval, and the shift of the target',
  },
];

function reuseCells(id: string) {
  return cacheCells(id, { task: 'chunk-qa', beside: 'concatenated' });
}
