import type { ServeParams } from '../../spec/kinds/serve';
import { type ReplicaGroup, replicaGroups } from '../presets/degrees';
import { HARDWARE } from '../presets/hardware';
import { MODELS } from '../presets/models';
import type { CostModel } from '../types';
import { fittedCostModel } from './fitted';
import { calibratedForCell, opTablesForCell } from './for-cell';
import { rooflineCostModel } from './roofline';
import { parseVidurTables, vidurTablesCostModel } from './vidur-tables';

/**
 * The cost model that a serve cell asks for. Where the replicas of two pools differ in their tensor
 * parallel degree it is one of each: `perRole`.
 *
 * @param tables parsed content of the bound file, for cost models `tables` and `op-tables`
 * @throws Error with one sentence: no fit for this combination, no or wrong tables
 */
export function makeCostModel(params: ServeParams, tables?: unknown): CostModel {
  const [first, second] = replicaGroups(params) as [ReplicaGroup, ReplicaGroup | undefined];
  const one = modelOf(params, first.degrees.tensor, tables);
  if (second === undefined || second.degrees.tensor === first.degrees.tensor) return one;
  const other = modelOf(params, second.degrees.tensor, tables);
  return {
    ...other,
    label: `prefill: ${one.label}; decode: ${other.label}`,
    perRole: { prefill: one, decode: other },
  };
}

function modelOf(cell: ServeParams, tensorParallel: number, tables: unknown): CostModel {
  const params = { ...cell, tensorParallel };
  const { costModel } = params;
  switch (costModel.type) {
    case 'roofline':
      return rooflineCostModel(MODELS[params.model], HARDWARE[params.hardware], {
        tensorParallel,
        ...costModel,
      });
    case 'calibrated':
      return calibratedForCell(params);
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
  }
}
