import type { ServeParams } from '../../spec/kinds/serve';
import type { HardwareProfile } from '../../spec/kinds/serve-profile';
import { HARDWARE } from '../presets/hardware';
import { linkOf } from '../presets/links';
import { MODELS } from '../presets/models';
import type { CostModel, ModelSpec } from '../types';
import { calibratedCostModel, calibrationOf } from './calibrated';
import { largestGraphTokens } from './cuda-graphs';
import { parseBundle } from './op-tables/bundle';
import { readOpTables } from './op-tables/files';
import { weightBytesByOperator } from './op-tables/memory-floor';
import { opTablesCostModel } from './op-tables/op-tables';
import { profileCostModel } from './profile';

/**
 * The operator-table model of a serve cell.
 * @param tables parsed content of the bound file: a bundle of the profile's files
 * @throws Error with one sentence that names the file, line and value
 */
export function opTablesForCell(params: ServeParams, tables: unknown): CostModel {
  const { costModel, tensorParallel } = params;
  if (costModel.type !== 'op-tables') throw new Error(`invalid costModel: ${costModel.type}`);
  const model = MODELS[params.model];
  const given = costModel.linkGigabytesPerSecond * 1e9;
  const link =
    given > 0
      ? {
          bytesPerSecond: given,
          latencySeconds: costModel.linkLatencyMicroseconds * 1e-6,
          source: `a link of ${costModel.linkGigabytesPerSecond} GB/s as given`,
        }
      : linkOf(HARDWARE[params.hardware]);
  return opTablesCostModel(readOpTables(parseBundle(tables), tensorParallel), {
    layers: model.layers,
    hiddenSize: model.hiddenSize,
    bytesPerElement: model.bytesPerWeight,
    experts: model.experts,
    link,
    sharedExperts: sharedExpertsOf(params.strategy),
    memoryFloor: {
      bytesPerSecond: HARDWARE[params.hardware].bandwidthBytesPerSecond,
      weightBytes: weightBytesByOperator(model, tensorParallel),
    },
    largestGraphTokens: graphTokens(params.strategy),
  });
}

/** The model of a serve cell that has no tables, from operator fits of other accelerators. */
export function calibratedForCell(
  params: ServeParams,
  model: ModelSpec = MODELS[params.model],
): CostModel {
  const hardware = HARDWARE[params.hardware];
  return calibratedCostModel(model, hardware, calibrationOf(hardware), {
    tensorParallel: params.tensorParallel,
    link: linkOf(hardware),
    largestGraphTokens: graphTokens(params.strategy),
  });
}

/**
 * The model of a fitted profile.
 * @throws Error where the profile was fitted for another model or degree than the cell's
 */
export function profileForCell(params: ServeParams, profile: HardwareProfile): CostModel {
  if (profile.law === 'operators') {
    const { model, tensorParallel } = profile;
    if (model !== 'none' && model !== params.model)
      throw new Error(
        `invalid costModel: the profile was fitted for ${model} (the cell has ${params.model})`,
      );
    if (tensorParallel !== params.tensorParallel)
      throw new Error(
        `invalid costModel: the profile was fitted for tensorParallel ${tensorParallel} (the cell has ${params.tensorParallel})`,
      );
  }
  return profileCostModel(profile, graphTokens(params.strategy));
}

function sharedExpertsOf(strategy: ServeParams['strategy']) {
  return strategy.type === 'vllm-v1' && strategy.sharedExperts !== 'none'
    ? strategy.sharedExperts
    : undefined;
}

function graphTokens(strategy: ServeParams['strategy']): number {
  return strategy.type === 'vllm-v1' && strategy.cudaGraphs
    ? largestGraphTokens(strategy.maxSequences, strategy.maxBatchedTokens)
    : 0;
}
