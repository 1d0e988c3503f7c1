import { makeRope, type RopeScaling } from '../../attention/position/rope-frequencies';
import {
  asObject,
  booleanField,
  field,
  type JsonObject,
  numberField,
  positiveField,
  show,
} from './json-fields';

const SUPPORTED = 'default, linear, dynamic, yarn, llama3';

/** The rotary encoding as a `config.json` has it. */
export interface RopeConfig {
  readonly ropeTheta: number;
  readonly ropeScaling: RopeScaling;
}

/**
 * RoPE of a `config.json`: `rope_theta` with `rope_scaling` (its kind under `rope_type` or, in older
 * files, `type`), or `rope_parameters` of newer files, which hold both. YaRN's defaults are those of
 * its paper's code (betas 32 and 1); dynamic NTK is set for a context within the trained length,
 * where it changes nothing: its angles depend on how long the text is.
 *
 * @throws Error naming the field and the value
 */
export function readRope(config: JsonObject, headSize: number, maxPositions: number): RopeConfig {
  const where = field(config, 'rope_parameters') === undefined ? 'rope_scaling' : 'rope_parameters';
  const value = field(config, where);
  const scaling = value === undefined ? {} : asObject(value, where);
  const ropeTheta =
    positiveField(scaling, 'rope_theta', `${where}.rope_theta`) ??
    positiveField(config, 'rope_theta') ??
    10_000;
  const partial =
    field(scaling, 'partial_rotary_factor') ?? field(config, 'partial_rotary_factor') ?? 1;
  if (partial !== 1) {
    throw new Error(
      `unsupported partial_rotary_factor: ${show(partial)} (expected 1: all channels turn)`,
    );
  }
  const ropeScaling = readScaling(scaling, where, maxPositions);
  try {
    makeRope({ headSize, base: ropeTheta, pairing: 'half-split', scaling: ropeScaling });
  } catch (error) {
    throw new Error(`${value === undefined ? 'rope_theta' : where}: ${(error as Error).message}`);
  }
  return { ropeTheta, ropeScaling };
}

function readScaling(scaling: JsonObject, where: string, maxPositions: number): RopeScaling {
  const type = field(scaling, 'rope_type') ?? field(scaling, 'type');
  if (type === undefined) {
    const { rope_theta: _theta, partial_rotary_factor: _part, ...rest } = scaling;
    const [stray] = Object.keys(rest);
    if (stray === undefined) return { type: 'none' };
    throw new Error(
      `invalid ${where}.rope_type: nothing, beside ${JSON.stringify(stray)} (expected ${SUPPORTED})`,
    );
  }
  const number = (name: string, orElse?: number) =>
    numberField(scaling, name, {
      as: `${where}.${name}`,
      least: 0,
      real: true,
      ...(orElse === undefined ? {} : { orElse }),
    });
  const originalTokens = () => number('original_max_position_embeddings', maxPositions);
  switch (type) {
    case 'default':
      return { type: 'none' };
    case 'linear':
      return { type: 'linear', factor: number('factor') };
    case 'dynamic': {
      const tokens = originalTokens();
      return {
        type: 'dynamic-ntk',
        factor: number('factor'),
        originalTokens: tokens,
        contextTokens: tokens,
      };
    }
    case 'yarn': {
      if (!booleanField(scaling, 'truncate', true)) {
        throw new Error(`unsupported ${where}.truncate: false (expected true)`);
      }
      const tokens = originalTokens();
      const factor = number('factor', maxPositions / tokens);
      const attentionFactor = yarnAttentionFactor(scaling, where, factor);
      return {
        type: 'yarn',
        factor,
        originalTokens: tokens,
        betaFast: number('beta_fast', 32),
        betaSlow: number('beta_slow', 1),
        ...(attentionFactor === undefined ? {} : { attentionFactor }),
      };
    }
    case 'llama3':
      return {
        type: 'llama3',
        factor: number('factor'),
        originalTokens: number('original_max_position_embeddings'),
        lowFrequencyFactor: number('low_freq_factor'),
        highFrequencyFactor: number('high_freq_factor'),
      };
    default:
      throw new Error(
        `unsupported ${where}.rope_type: ${show(type)} (expected one of ${SUPPORTED})`,
      );
  }
}

/** The factor itself, or the ratio that `mscale` and `mscale_all_dim` mean together. */
function yarnAttentionFactor(
  scaling: JsonObject,
  where: string,
  factor: number,
): number | undefined {
  const given = positiveField(scaling, 'attention_factor', `${where}.attention_factor`);
  if (given !== undefined) return given;
  const above = positiveField(scaling, 'mscale', `${where}.mscale`);
  const below = positiveField(scaling, 'mscale_all_dim', `${where}.mscale_all_dim`);
  if (above === undefined || below === undefined) return undefined;
  const scale = (weight: number) => (factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1);
  return scale(above) / scale(below);
}
