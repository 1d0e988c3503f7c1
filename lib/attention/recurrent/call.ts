import type { RecurrentParams } from '../../spec/kinds/recurrent';
import { runSteps } from '../steps';
import { compareOutputs, type RecurrentError } from './compare';
import { makeFastWeightInputs } from './fast-weight-inputs';
import {
  type ChunkFit,
  type FastWeightInputs,
  fastWeightReferenceSteps,
} from './fast-weight-reference';
import { chosenFeatureMap, featureSize, mapInputs } from './feature-map';
import { normaliseRowSteps, recurrentInputSteps } from './inputs';
import { type LegendreInputs, legendreStep } from './legendre';
import { legendreReferenceSteps } from './legendre-reference';
import { type MemoryUnitReading, readMemoryUnit } from './memory-unit';
import { MEMORY_RULE, type MixtureInputs } from './mixture';
import { makeMixtureInputs } from './mixture-inputs';
import { mixtureReferenceSteps } from './mixture-reference';
import { recurrentReferenceSteps } from './reference';
import { isDeltaRule } from './rule';
import { convolveInputs, makeShortConvolution } from './short-convolution';
import {
  makeTemporalLoraInputs,
  type TemporalLoraInputs,
  temporalLoraReferenceSteps,
} from './temporal-lora';
import type { RecurrentInputs, RecurrentOutput, RecurrentShape, StateRule } from './types';

/** One run of a cell: its rule and the tensors that it reads. */
export type RecurrentCall =
  | { readonly type: 'state'; readonly rule: StateRule; readonly inputs: RecurrentInputs }
  | { readonly type: 'mom'; readonly inputs: MixtureInputs }
  | { readonly type: 'lmu'; readonly inputs: LegendreInputs }
  | TestTimeCall;

/** Test-time training, which has no kernel here. */
export type TestTimeCall =
  | { readonly type: 'lact'; readonly inputs: FastWeightInputs }
  | { readonly type: 'temporal-lora'; readonly inputs: TemporalLoraInputs };

/** Bytes of one tensor above which a call is refused with a sentence, before it is tried. */
const MOST_TENSOR_BYTES = 2 ** 30;

/** @throws Error with a sentence where a tensor of q, k, v or decays would be above 1 GiB */
function checkSize({ shape, featureMap }: RecurrentParams): void {
  const { batch, heads, tokens, keySize, valueSize } = shape;
  const channels = Math.max(featureSize(featureMap, keySize), valueSize);
  const bytes = 4 * batch * heads * tokens * channels;
  if (bytes <= MOST_TENSOR_BYTES) return;
  throw new Error(
    `q, k or v of this shape takes ${(bytes / 2 ** 30).toFixed(1)} GiB, above the limit of 1 GiB; lower tokens, heads or batch`,
  );
}

/**
 * Seeded inputs of the cell's rule.
 *
 * @throws Error with a sentence where a tensor would be above 1 GiB
 */
export function makeCall(params: RecurrentParams): RecurrentCall {
  return runSteps(makeCallSteps(params));
}

/** `makeCall` in slices: yields every few milliseconds. */
export function* makeCallSteps(params: RecurrentParams): Generator<number, RecurrentCall> {
  checkSize(params);
  const { rule, seed } = params;
  if (rule.type === 'mom') {
    const memoryInputs = (memorySeed: number) => stateInputs(params, MEMORY_RULE, memorySeed);
    return { type: 'mom', inputs: makeMixtureInputs(rule, seed, memoryInputs) };
  }
  if (rule.type === 'lmu') {
    const { thetaTokens } = rule;
    // Queries and values as linear attention has them; the memory has no keys.
    const additive = { type: 'additive', normalise: false } as const;
    const { shape, query, value } = yield* stateInputSteps(params, additive, seed);
    const step = legendreStep(shape.keySize, thetaTokens);
    return { type: 'lmu', inputs: { shape, thetaTokens, step, query, value } };
  }
  if (rule.type === 'lact') {
    const additive = { type: 'additive', normalise: false } as const;
    const inputs = makeFastWeightInputs(rule, yield* stateInputSteps(params, additive, seed), seed);
    return { type: 'lact', inputs };
  }
  if (rule.type === 'temporal-lora') {
    const additive = { type: 'additive', normalise: false } as const;
    const inputs = makeTemporalLoraInputs(
      rule,
      yield* stateInputSteps(params, additive, seed),
      seed,
    );
    return { type: 'temporal-lora', inputs };
  }
  return { type: 'state', rule, inputs: yield* stateInputSteps(params, rule, seed) };
}

/** Sizes of the call; its keys after the feature map. */
export function callShape(call: RecurrentCall): RecurrentShape {
  return call.inputs.shape;
}

/** What the reference makes of a call. */
export type CallOutput = RecurrentOutput & { readonly fits?: readonly ChunkFit[] };

/** The call in f64 on the CPU, as its paper writes it; yields the share done every few milliseconds. */
export function callReferenceSteps(call: RecurrentCall): Generator<number, CallOutput> {
  switch (call.type) {
    case 'state':
      return recurrentReferenceSteps(call.inputs, call.rule);
    case 'mom':
      return mixtureReferenceSteps(call.inputs);
    case 'lmu':
      return legendreReferenceSteps(call.inputs);
    case 'lact':
      return fastWeightReferenceSteps(call.inputs);
    case 'temporal-lora':
      return temporalLoraReferenceSteps(call.inputs);
  }
}

/** `callReferenceSteps` run to the end. */
export function callReference(call: RecurrentCall): CallOutput {
  return runSteps(callReferenceSteps(call));
}

/** An f32 result beside the reference. */
export function compareCall(call: RecurrentCall, actual: RecurrentOutput): RecurrentError {
  return compareOutputs(callShape(call), actual, callReference(call));
}

/**
 * An f32 result beside the reference, and both read by a gated memory unit where the cell has one.
 * Yields the share done every few milliseconds.
 */
export function* checkCallSteps(
  params: RecurrentParams,
  call: RecurrentCall,
  actual: RecurrentOutput,
): Generator<
  number,
  { readonly error: RecurrentError; readonly unit: MemoryUnitReading | undefined }
> {
  const expected = yield* callReferenceSteps(call);
  return {
    error: compareOutputs(callShape(call), actual, expected),
    unit: unitOf(params, call, expected, actual),
  };
}

/** The reading of the cell's gated memory unit, where it has one. */
export function unitOf(
  params: RecurrentParams,
  call: RecurrentCall,
  expected: RecurrentOutput,
  actual: RecurrentOutput | undefined,
): MemoryUnitReading | undefined {
  if (params.readout !== 'memory-unit') return undefined;
  const { keySize } = params.shape;
  return readMemoryUnit(params, callShape(call), expected.output, actual?.output, keySize);
}

/**
 * Seeded inputs after the convolution and then the feature map, which a normaliser needs last: silu
 * leaves numbers below 0. A delta rule keeps unit keys.
 */
export function stateInputs(
  params: RecurrentParams,
  rule: StateRule,
  seed: number,
): RecurrentInputs {
  return runSteps(stateInputSteps(params, rule, seed));
}

/** `stateInputs` in slices: yields every few milliseconds. */
export function* stateInputSteps(
  { shape, convolutionWidth, featureMap }: RecurrentParams,
  rule: StateRule,
  seed: number,
): Generator<number, RecurrentInputs> {
  let inputs = yield* recurrentInputSteps(shape, rule, seed, 'raw');
  if (convolutionWidth > 1) {
    const convolution = makeShortConvolution(shape, convolutionWidth, 'silu', seed);
    inputs = convolveInputs(inputs, convolution);
  }
  const map = chosenFeatureMap(rule, featureMap);
  if (map !== 'identity') inputs = mapInputs(inputs, map);
  if (!isDeltaRule(rule)) return inputs;
  const { keySize } = inputs.shape;
  return {
    ...inputs,
    query: yield* normaliseRowSteps(inputs.query, keySize),
    key: yield* normaliseRowSteps(inputs.key, keySize),
  };
}
