import type { ServeParams } from '../../spec/kinds/serve';
import { HARDWARE } from '../presets/hardware';
import { MODELS } from '../presets/models';
import type { CostModel, ModelSpec } from '../types';
import { fittedCostModel } from './fitted';
import { calibratedForCell, opTablesForCell } from './for-cell';
import { rooflineCostModel } from './roofline';
import { parseVidurTables, vidurTablesCostModel } from './vidur-tables';

/**
 * The cost model that a serve cell asks for.
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
  const { costModel, tensorParallel } = params;
  switch (costModel.type) {
    case 'roofline':
      return rooflineCostModel(model, HARDWARE[params.hardware], {
        tensorParallel,
        ...costModel,
      });
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
  }
}
