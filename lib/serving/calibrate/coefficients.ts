import type { HardwareProfile, OperatorCost } from '../../spec/kinds/serve-profile';
import { PART_NAMES } from './samples';

/** One number of a profile, named for people. */
export interface Coefficient {
  readonly part: string;
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

const US = '\u00b5s';

function operator(part: string, cost: OperatorCost): Coefficient[] {
  const lines: Coefficient[] = [
    { part, name: 'base', value: cost.baseMicroseconds, unit: US },
    { part, name: 'per token', value: cost.perTokenMicroseconds, unit: `${US}/token` },
  ];
  if (cost.lateBaseMicroseconds === 0 && cost.latePerTokenMicroseconds === 0) return lines;
  return [
    ...lines,
    { part, name: 'base of the second line', value: cost.lateBaseMicroseconds, unit: US },
    {
      part,
      name: 'per token of the second line',
      value: cost.latePerTokenMicroseconds,
      unit: `${US}/token`,
    },
  ];
}

const UNITS: Readonly<Record<string, readonly [name: string, unit: string]>> = {
  baseMicroseconds: ['base', US],
  perTokenMicroseconds: ['per token', `${US}/token`],
  perPrefillTokenMicroseconds: ['per prefill token', `${US}/token`],
  perSequenceMicroseconds: ['per sequence', `${US}/sequence`],
  perDecodeMicroseconds: ['per decode', `${US}/sequence`],
  perContextTokenMicroseconds: ['per context token', `${US}/token`],
  perPrefillContextTokenMicroseconds: ['per context token of the prefill', `${US}/token`],
  perDecodeContextTokenMicroseconds: ['per context token of the decodes', `${US}/token`],
  perMeanContextTokenMicroseconds: ['per token of the mean context', `${US}/token`],
  perPairMicroseconds: ['per query-key pair', `${US}/pair`],
};

function costs(part: string, value: Readonly<Record<string, unknown>>): Coefficient[] {
  return Object.entries(UNITS).flatMap(([key, [name, unit]]) => {
    const found = value[key];
    return typeof found === 'number' ? [{ part, name, value: found, unit }] : [];
  });
}

/** Every coefficient of a profile with its unit, in the order of an iteration. */
export function coefficientsOf(profile: HardwareProfile): readonly Coefficient[] {
  if (profile.law === 'iteration') return costs('iteration', profile);
  return [
    ...operator(PART_NAMES.qkv, profile.qkv),
    ...operator(PART_NAMES.attentionOutput, profile.attentionOutput),
    ...operator(PART_NAMES.gateUp, profile.gateUp),
    ...operator(PART_NAMES.down, profile.down),
    ...operator(PART_NAMES.elementwise, profile.elementwise),
    ...costs('prefill attention', profile.prefillAttention),
    ...costs('decode attention', profile.decodeAttention),
    ...costs('mixed attention', profile.mixedAttention),
    {
      part: 'decode attention',
      name: 'weight of the longest context',
      value: profile.skewWeight,
      unit: 'share',
    },
    ...costs(PART_NAMES.once, profile.once),
    ...costs(PART_NAMES.head, profile.head),
    ...(profile.tensorParallel > 1 ? costs('all-reduce', profile.allReduce) : []),
  ];
}
