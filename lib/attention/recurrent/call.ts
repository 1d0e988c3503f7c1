import type { RecurrentParams } from '../../spec/kinds/recurrent';
import { mapInputs } from './feature-map';
import { hybridCurve } from './hybrid';
import { hybridRecall } from './hybrid-recall';
import { makeRecurrentInputs, normaliseRows } from './inputs';
import { recallCurve } from './recall';
import type { RecurrentResult } from './result';
import { isDeltaRule } from './rule';
import { convolveInputs, makeShortConvolution } from './short-convolution';
import { kvBytes, stateBytes } from './state-bytes';
import type { RecurrentInputs } from './types';

/** Seeded inputs after convolution and feature map; a delta rule keeps unit keys. */
export function recurrentInputs(params: RecurrentParams): RecurrentInputs {
  const { shape, rule, convolutionWidth, featureMap, seed } = params;
  let inputs = makeRecurrentInputs(shape, rule, seed);
  if (convolutionWidth > 1) {
    const convolution = makeShortConvolution(shape, convolutionWidth, 'silu', seed);
    inputs = convolveInputs(inputs, convolution);
  }
  if (featureMap !== 'identity') inputs = mapInputs(inputs, featureMap);
  if (!isDeltaRule(rule)) return inputs;
  const { keySize } = inputs.shape;
  return {
    ...inputs,
    query: normaliseRows(inputs.query, keySize),
    key: normaliseRows(inputs.key, keySize),
  };
}

export type DescribedRule = Pick<
  RecurrentResult,
  'memory' | 'recall' | 'additiveRecall' | 'hybrid' | 'hybridRecall'
>;

/** What holds of the rule whatever runs it: bytes kept, and recall. */
export function describeRule(
  { rule, convolutionWidth, seed, hybrid, shape: before }: RecurrentParams,
  inputs: RecurrentInputs,
): DescribedRule {
  const { shape } = inputs;
  const options = { convolutionWidth };
  const { keySize } = shape;
  return {
    memory: {
      stateBytes: stateBytes(rule, shape, options),
      kvBytes: kvBytes(before, shape.tokens),
      breakEvenTokens: stateBytes(rule, shape, options) / kvBytes(before, 1),
    },
    recall: recallCurve(rule, keySize, seed),
    additiveRecall: recallCurve({ type: 'additive', normalise: false }, keySize, seed),
    hybrid: hybridCurve(hybrid, rule, shape, options, before.keySize),
    hybridRecall: hybridRecall(hybrid, rule, keySize, seed),
  };
}
