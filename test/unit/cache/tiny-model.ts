import type { TransformerConfig } from '../../../lib/transformer/types';
import { randomModel, SMALL } from './random-model';

/** Heads of 16 channels, as groups of channels need them, in 4 layers, as groups of layers do. */
export const TINY: TransformerConfig = { ...SMALL, layers: 4, headSize: 16, vocabularySize: 50 };

export const tinyModel = (seed = 1) => randomModel(seed, TINY);
