import type { ServeParams } from '../../spec/kinds/serve';
import { type ReplicaGroup, replicaGroups } from '../presets/degrees';
import { HARDWARE } from '../presets/hardware';
import { MODELS } from '../presets/models';
import { type ModelTransform, transformOf } from '../transforms/presets';
import { relativeCostModel } from '../transforms/relative';
import { speculativeCostModel } from '../transforms/speculation';
import type { CostModel, ModelSpec } from '../types';
import { fittedCostModel } from './fitted';
import { calibratedForCell, opTablesForCell, profileForCell } from './for-cell';
import { rooflineCostModel } from './roofline';
import { parseVidurTables, vidurTablesCostModel } from './vidur-tables';

/**
 * The cost model that a serve cell asks for, its transform and its speculation included: exact in the
 * roofline, and in every other model by the ratio of two rooflines.
 * Where the replicas of two pools differ in their tensor parallel degree it is one of each: `perRole`.
 *
 * @param tables parsed content of the bound file, for cost models `tables` and `op-tables`
 * @param model in place of the one that the params name, for the cost models that compute with it
 * @throws Error with one sentence: no fit for this combination, no or wrong tables
 */
export function makeCostModel(
  params: ServeParams,
  tables?: unknown,
  model: ModelSpec = MODELS[params.model],
): CostModel {
  const [first, second] = replicaGroups(params) as [ReplicaGroup, ReplicaGroup | undefined];
  const one = modelOf(params, first.degrees.tensor, tables, model);
  if (second === undefined || second.degrees.tensor === first.degrees.tensor) return one;
  const other = modelOf(params, second.degrees.tensor, tables, model);
  return {
    ...other,
    label: `prefill: ${one.label}; decode: ${other.label}`,
    perRole: { prefill: one, decode: other },
  };
}

function modelOf(
  cell: ServeParams,
  tensorParallel: number,
  tables: unknown,
  model: ModelSpec,
): CostModel {
  const params = { ...cell, tensorParallel };
  const transform = transformOf(params.transform);
  const { speculation } = params;
  const base = plainCostModel(params, tables, transform, model);
  const isRoofline = params.costModel.type === 'roofline';
  const plain = roofline(params, model, undefined);
  const changed = isRoofline ? base : roofline(params, model, transform);
  const transformed =
    isRoofline || transform === undefined
      ? base
      : relativeCostModel(base, plain, changed, transform.label);
  if (speculation.type === 'none') return transformed;
  const verify = isRoofline ? base : relativeCostModel(base, plain, changed, 'verification');
  return speculativeCostModel(transformed, verify, speculation);
}

/** Shares of peak that a ratio of rooflines takes where the cell has none of its own. */
const RATIO_SHARES = {
  computeEfficiency: 0.7,
  bandwidthEfficiency: 0.8,
  overheadMicroseconds: 0,
} as const;

function roofline(
  params: ServeParams,
  model: ModelSpec,
  transform: ModelTransform | undefined,
): CostModel {
  const { costModel, tensorParallel } = params;
  return rooflineCostModel(model, HARDWARE[params.hardware], {
    tensorParallel,
    ...(costModel.type === 'roofline' ? costModel : RATIO_SHARES),
    transform,
  });
}

function plainCostModel(
  params: ServeParams,
  tables: unknown,
  transform: ModelTransform | undefined,
  model: ModelSpec,
): CostModel {
  const { costModel, tensorParallel } = params;
  switch (costModel.type) {
    case 'roofline':
      return roofline(params, model, transform);
    case 'calibrated':
      return calibratedForCell(params, model);
    case 'fitted':
      return fittedCostModel(params.model, params.hardware, tensorParallel);
    case 'tables':
      if (tables === undefined) {
        throw new Error(
          'cost model tables has no file: bind an operator table (.json or .json.gz) to the cell',
        );
      }
      return vidurTablesCostModel(parseVidurTables(tables));
    case 'op-tables':
      if (tables === undefined) {
        throw new Error(
          'cost model op-tables has no files: choose dense.csv, per_sequence.csv and attention.csv for the cell',
        );
      }
      return opTablesForCell(params, tables);
    case 'profile':
      return profileForCell(params, costModel.profile);
  }
}
