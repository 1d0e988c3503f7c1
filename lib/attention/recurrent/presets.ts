import type { RecurrentParams } from '../../spec/kinds/recurrent';
import { chosenFeatureMap } from './feature-map';

type Chosen = Pick<
  RecurrentParams,
  'rule' | 'featureMap' | 'convolutionWidth' | 'hybrid' | 'readout'
> & {
  readonly keySize: number;
};

/** A named layer to start from. Its numbers are ours, sized for the page, unless the note says otherwise. */
export interface RecurrentPreset {
  readonly id: string;
  readonly title: string;
  /** One sentence: what it does, and what of it is left out here. */
  readonly note: string;
  readonly params: Chosen;
}

const preset = (
  id: string,
  title: string,
  note: string,
  rule: RecurrentParams['rule'],
  rest: Partial<Omit<Chosen, 'rule'>> = {},
): RecurrentPreset => ({
  id,
  title,
  note,
  params: {
    rule,
    featureMap: 'identity',
    convolutionWidth: 1,
    hybrid: { layers: 4, softmaxEvery: 0, windowTokens: 1024, crossLayers: 0 },
    readout: 'plain',
    keySize: 64,
    ...rest,
  },
});

const mixture = { memories: 8, topK: 2, hasShared: false, routerBias: 0 } as const;

export const RECURRENT_PRESETS: readonly RecurrentPreset[] = [
  preset(
    'linear-attention',
    'linear attention',
    'adds every value at its key and divides by the sum of the keys, with elu + 1 as the feature map; nothing is ever forgotten.',
    { type: 'additive', normalise: true },
    { featureMap: 'elu+1' },
  ),
  preset(
    'retnet',
    'RetNet',
    'a fixed decay per head, 1 - 2^(-5 - head), forgets old tokens at a steady rate.',
    { type: 'retnet' },
  ),
  preset('gla', 'GLA', 'gated linear attention: every token sets a decay for each key channel.', {
    type: 'gated',
    normalise: false,
  }),
  preset(
    'deltanet',
    'DeltaNet',
    'the delta rule first takes out what a key holds, so that a key can be overwritten; its short convolution is a parameter below.',
    { type: 'delta' },
  ),
  preset(
    'gated-deltanet',
    'Gated DeltaNet',
    'the delta rule with a decay per token, so that a state can be overwritten and also cleared; its short convolution is a parameter below.',
    { type: 'gated-delta' },
  ),
  preset(
    'mamba-2',
    'Mamba-2 (SSD)',
    'a decay per token and head after a short convolution: structured state space duality.',
    { type: 'ssd' },
    { convolutionWidth: 4 },
  ),
  preset(
    'based',
    'Based (Taylor)',
    'the second-order Taylor series of exp as the feature map; a key of d channels becomes 1 + d + d^2, so d is 8 here.',
    { type: 'additive', normalise: true },
    { featureMap: 'taylor', keySize: 8 },
  ),
  preset(
    'lawcat',
    'LAWCAT (convolution + gated)',
    'a causal convolution over tokens before normalised gated linear attention; distilled from softmax in the paper, seeded here.',
    { type: 'gated', normalise: true },
    { convolutionWidth: 4 },
  ),
  preset(
    'jrt-rnn',
    'JRT-RNN (prefix-linear)',
    'a second key and value projection reads the prefix without causality, and its state is added to the causal one; features are the Taylor series of Based.',
    { type: 'prefix-linear', normalise: true, prefixTokens: 256 },
    { featureMap: 'taylor', keySize: 8 },
  ),
  preset(
    'infinitevl',
    'InfiniteVL (hybrid)',
    'nine blocks of one sliding-window layer and three Gated DeltaNet layers; the window of 8192 tokens and the ratio are those of its configuration.',
    { type: 'gated-delta' },
    {
      convolutionWidth: 4,
      hybrid: { layers: 36, softmaxEvery: 4, windowTokens: 8192, crossLayers: 0 },
    },
  ),
  preset(
    'timelygpt',
    'TimelyGPT (retention)',
    'retention after a temporal convolution for long time series; its xPos rotation is left out.',
    { type: 'retnet' },
    { convolutionWidth: 4 },
  ),
  preset(
    'tim4rec',
    'TiM4Rec (SSD)',
    'state space duality whose decays come from the time between items; here the decays are seeded.',
    { type: 'ssd' },
  ),
  preset(
    'mom',
    'MoM',
    'a router gives each token 2 of 8 memories, gated-delta states that the other tokens leave alone; 8 and 2 are the defaults of a public implementation.',
    { type: 'mom', ...mixture },
    { convolutionWidth: 4 },
  ),
  preset(
    'lmu',
    'LMU',
    'a Legendre memory keeps the last 256 tokens of every channel as 64 polynomial coefficients, without any trained weight.',
    { type: 'lmu', thetaTokens: 256 },
  ),
  preset(
    'lact',
    'LaCT',
    'test-time training: the state is the weights of a small MLP that learns each chunk after reading it; the paper learns chunks of 2048 tokens beside a window of 2048, here chunks are 64.',
    {
      type: 'lact',
      chunkTokens: 64,
      expansion: 1,
      learningRate: 1,
      hasMomentum: true,
      muonSteps: 5,
    },
    { hybrid: { layers: 4, softmaxEvery: 2, windowTokens: 2048, crossLayers: 0 } },
  ),
  preset(
    'temporal-lora',
    'temporal LoRA (SlowFast-VGen)',
    'weights that stay, and a low-rank update that learns each chunk after reading it, as an episodic memory; rank, chunk and steps are ours, and the paper updates a video model.',
    { type: 'temporal-lora', chunkTokens: 64, rank: 8, learningRate: 0.5, steps: 8 },
  ),
  preset(
    'sambay',
    'SambaY (gated memory unit)',
    'a first half of Mamba and window layers ends in the only full cache; in the second, cross-attention to it alternates with gated memory units, which read the output of this layer and keep nothing; the numbers of layers and the window are ours.',
    { type: 'ssd' },
    {
      convolutionWidth: 4,
      readout: 'memory-unit',
      hybrid: { layers: 8, softmaxEvery: 2, windowTokens: 2048, crossLayers: 8 },
    },
  ),
];

/** The cell's params under a preset: its layer and key size, with all else as it was. */
export function presetParams(
  { params: { keySize, ...layer } }: RecurrentPreset,
  current: RecurrentParams,
): RecurrentParams {
  return { ...current, ...layer, shape: { ...current.shape, keySize } };
}

/** What makes a layer what it is; other numbers do not make another preset. */
function structureOf({
  rule,
  featureMap,
  convolutionWidth,
  hybrid,
  readout,
}: Omit<Chosen, 'keySize'>): string {
  return JSON.stringify([
    rule.type,
    'normalise' in rule && rule.normalise,
    chosenFeatureMap(rule, featureMap),
    convolutionWidth > 1,
    hybrid.softmaxEvery > 0,
    hybrid.crossLayers > 0,
    readout,
  ]);
}

/** The preset that params still are, whatever their numbers. */
export function presetOf(params: RecurrentParams): RecurrentPreset | undefined {
  const structure = structureOf(params);
  return RECURRENT_PRESETS.find((each) => structureOf(each.params) === structure);
}
