import type { DecodeParams } from '../../spec/kinds/decode';
import { decodeCallSteps, entriesOf, partsOf } from '../decode/call';
import { storeTensor } from '../decode/stored';
import { softmaxRows } from './softmax-row';
import type { WeightMatrices } from './types';

/**
 * Probabilities of a decode step over keys as one storage holds them, a matrix per sequence: row
 * h x queries + q is query q of head h. Tokens past a sequence's end are not seen.
 *
 * @param storage number of the params' storage, from 1; 0 takes the keys as they were made
 * @throws RangeError where there is no such storage
 */
export function* decodeWeightSteps(
  params: DecodeParams,
  storage: number,
): Generator<number, WeightMatrices> {
  const { batch: batches, queryHeads, kvHeads, queries, keys, headSize } = params.shape;
  const { length } = params.storages;
  if (!Number.isInteger(storage) || storage < 0 || storage > length) {
    throw new RangeError(`invalid storage: ${storage} (expected 0..${length})`);
  }
  const call = yield* decodeCallSteps(params);
  const stored = params.storages[storage - 1]?.key;
  let { parts } = call;
  if (stored !== undefined && stored.type !== 'f32') {
    const shape = { heads: batches * kvHeads, rows: keys, columns: headSize };
    const { values } = yield* storeTensor(call.inputs.key, shape, stored);
    parts = partsOf(params, { ...call.inputs, key: values }, call.pages);
  }
  const rowsOf = new Map(parts.map((part) => [part, softmaxRows(part)]));
  const entryOf = entriesOf(parts);
  return (batch) => {
    const [inputs, entry] = entryOf(batch);
    const rows = rowsOf.get(inputs)!;
    const { keys: length } = inputs.shape;
    return {
      queries: queryHeads * queries,
      keys,
      isSigned: false,
      fillRow(row, keyStart, keyEnd, out) {
        const [head, query] = [Math.floor(row / queries), row % queries];
        const end = Math.min(keyEnd, length);
        out.fill(Number.NaN, keyStart, keyEnd);
        rows.read(entry, head, query, Math.min(keyStart, length), end, out);
        out.fill(Number.NaN, length);
      },
    };
  };
}
