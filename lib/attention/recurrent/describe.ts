import type { RecurrentParams } from '../../spec/kinds/recurrent';
import { callShape, type RecurrentCall } from './call';
import { fastWeightReadBack } from './fast-weight-inputs';
import { hybridCurve } from './hybrid';
import { hybridRecall } from './hybrid-recall';
import { reconstructWindow } from './legendre-window';
import { mixtureReadBack } from './mixture-inputs';
import { mixtureLoad } from './mixture-load';
import { mixtureReference } from './mixture-reference';
import { type RecallCurve, recallCurve, recallCurveOf } from './recall';
import type { RecurrentResult } from './result';
import { isStateRule } from './rule';
import { breakEvenKeys, kvBytes, stateBytes } from './state-bytes';
import { loraReadBack } from './temporal-lora';
import type { RecurrentRule } from './types';

export type DescribedRule = Pick<
  RecurrentResult,
  'memory' | 'recall' | 'additiveRecall' | 'hybrid' | 'hybridRecall' | 'load' | 'reconstruction'
>;

/** What holds of the rule whatever runs it: bytes kept, recall, and what a router did. */
export function describeCall(
  { rule, convolutionWidth, seed, hybrid, shape: unmapped }: RecurrentParams,
  call: RecurrentCall,
): DescribedRule {
  const shape = callShape(call);
  const options = { convolutionWidth };
  const { keySize } = shape;
  return {
    memory: {
      stateBytes: stateBytes(rule, shape, options),
      kvBytes: kvBytes(unmapped, shape.tokens),
      breakEvenTokens: breakEvenKeys(rule, shape, options, unmapped.keySize),
    },
    recall: recallOf(rule, keySize, seed),
    additiveRecall: recallCurve({ type: 'additive', normalise: false }, keySize, seed),
    hybrid: hybridCurve(hybrid, rule, shape, options, unmapped.keySize),
    hybridRecall: isStateRule(rule) ? hybridRecall(hybrid, rule, keySize, seed) : undefined,
    load: call.type === 'mom' ? mixtureLoad(call.inputs) : undefined,
    reconstruction:
      rule.type === 'lmu' ? reconstructWindow(keySize, rule.thetaTokens, seed) : undefined,
  };
}

function recallOf(rule: RecurrentRule, keySize: number, seed: number): RecallCurve | undefined {
  // A Legendre memory keeps a signal, not pairs: there are no keys to recall by.
  if (rule.type === 'lmu') return undefined;
  if (rule.type === 'lact') {
    return recallCurveOf(fastWeightReadBack(rule, keySize, seed), keySize, seed);
  }
  if (rule.type === 'temporal-lora') {
    return recallCurveOf(loraReadBack(rule, keySize, seed), keySize, seed);
  }
  if (rule.type === 'mom') {
    return recallCurveOf(mixtureReadBack(rule, keySize, seed, mixtureReference), keySize, seed);
  }
  return recallCurve(rule, keySize, seed);
}
