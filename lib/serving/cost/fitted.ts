import type { HardwareId, ModelId } from '../../spec/presets';
import type { CostModel } from '../types';

/** Milliseconds: prefill a + b sum(n) + c sum(n^2); decode a + b sum(context) + c batch, in two regimes. */
interface Coefficients {
  readonly prefill: readonly [number, number, number];
  readonly decodeSmallBatch: readonly [number, number, number];
  readonly decodeLargeBatch: readonly [number, number, number];
  /** Batches of at least this size are in the large regime. */
  readonly largeBatch: number;
}

const SOURCE =
  'coefficients fitted by the DistServe authors (Zhong et al., 2024) on A100 80 GB, from the simulator they published (Apache-2.0)';

/** By model and tensor-parallel degree, as published. */
const A100_COEFFICIENTS: Partial<Record<ModelId, Readonly<Record<number, Coefficients>>>> = {
  'opt-13b': {
    '1': {
      prefill: [18.10254647486372, 0.1019122572698738, 7.122264314252114e-6],
      decodeSmallBatch: [19.934702624895458, 0.0006269356524350583, 0.03850697740828398],
      decodeLargeBatch: [7.1661889468253595, 0.0005798000403396046, 0.15831096191764046],
      largeBatch: 95,
    },
    '2': {
      prefill: [14.742973695171262, 0.06857720739764, 2.4495727400243586e-6],
      decodeSmallBatch: [13.294796350285385, 0.00034109219700723494, 0.06296393225243659],
      decodeLargeBatch: [10.638741913126715, 0.00031183369638295723, 0.08562913604102729],
      largeBatch: 95,
    },
    '4': {
      prefill: [12.062297033449054, 0.03808140082550695, 5.226249731787869e-7],
      decodeSmallBatch: [10.256231678259395, 0.00018786702316166354, 0.03269273629225551],
      decodeLargeBatch: [10.483514938375274, 0.00017120888562939117, 0.04566648525887034],
      largeBatch: 95,
    },
  },
  'opt-66b': {
    '2': {
      prefill: [43.05881348288936, 0.2742292870458432, 2.2478042467169447e-5],
      decodeSmallBatch: [48.288015489286245, 0.0009424343535737985, 0.12755020094383188],
      decodeLargeBatch: [28.727693993711597, 0.00047448475459061987, 0.29617792360743994],
      largeBatch: 95,
    },
    '3': {
      prefill: [32.998230028437035, 0.19568256864690514, 1.2205248980953765e-5],
      decodeSmallBatch: [35.8015439512012, 0.0005845004786127403, 0.0952669764890301],
      decodeLargeBatch: [22.653861586978355, 0.0005358489190129727, 0.208514444037787],
      largeBatch: 95,
    },
    '4': {
      prefill: [29.441636037717455, 0.151352180625198, 8.317450765979451e-6],
      decodeSmallBatch: [30.760284619429587, 0.000451947603788462, 0.063284195750671],
      decodeLargeBatch: [27.47082137429487, 0.0004046845541646486, 0.12480667738300383],
      largeBatch: 95,
    },
    '8': {
      prefill: [25.490662375045222, 0.10659177664763161, 3.3910502518615973e-6],
      decodeSmallBatch: [23.15511135047022, 0.00022691488497826264, 0.04800638397272423],
      decodeLargeBatch: [21.71772781576609, 0.0003758089655762475, 0.08978614175851013],
      largeBatch: 95,
    },
  },
};

function available(): string {
  return Object.entries(A100_COEFFICIENTS)
    .map(
      ([model, degrees]) => `${model} with tensorParallel ${Object.keys(degrees ?? {}).join(', ')}`,
    )
    .join('; ');
}

/**
 * Iteration time from published fits. A mixed batch is the sum of its prefill and its decode part
 * less the smaller constant, since the constants stand for reading the weights once.
 *
 * @throws Error naming the combinations that exist
 */
export function fittedCostModel(
  model: ModelId,
  hardware: HardwareId,
  tensorParallel: number,
): CostModel {
  const found = hardware === 'a100-80g' ? A100_COEFFICIENTS[model]?.[tensorParallel] : undefined;
  if (found === undefined) {
    throw new Error(
      `no fitted coefficients for ${model} on ${hardware} with tensorParallel ${tensorParallel} (there are a100-80g: ${available()})`,
    );
  }
  const { prefill, decodeSmallBatch, decodeLargeBatch, largeBatch } = found;
  return {
    kind: 'fitted',
    label: `fitted, ${model} on A100 80 GB, tensor parallel ${tensorParallel}`,
    source: SOURCE,
    iterationSeconds(f) {
      let ms = 0;
      let constant = Infinity;
      if (f.prefillCount > 0) {
        ms += prefill[0] + prefill[1] * f.prefillTokens + prefill[2] * f.prefillTokensSquared;
        // A later chunk also attends to what its prompt has already processed: the square of the sum, not the sum of squares.
        ms += prefill[2] * 2 * (f.prefillAttentionPairs - f.prefillTokensSquared / 2);
        constant = prefill[0];
      }
      if (f.decodeCount > 0) {
        const decode = f.decodeCount < largeBatch ? decodeSmallBatch : decodeLargeBatch;
        ms += decode[0] + decode[1] * f.decodeContextTokens + decode[2] * f.decodeCount;
        if (f.prefillCount > 0) ms -= Math.min(constant, decode[0]);
      }
      return ms / 1000;
    },
    decodeRun: {
      iterations: () => Infinity,
      slopeSeconds({ decodeCount }) {
        const decode = decodeCount < largeBatch ? decodeSmallBatch : decodeLargeBatch;
        return (decode[1] * decodeCount) / 1000;
      },
    },
  };
}
