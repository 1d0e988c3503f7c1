import type { ComposeParams } from '../../spec/kinds/compose';
import type { DecodeParams } from '../../spec/kinds/decode';
import type { RecurrentParams } from '../../spec/kinds/recurrent';
import { makeCallSteps } from '../recurrent/call';
import { composeWeightSteps } from './compose-weights';
import { decodeWeightSteps } from './decode-weights';
import { callWeights, prefixKeys } from './recurrent-weights';
import type { WeightMatrices, WeightShape } from './types';

/** A cell whose outputs are sums of values, and what its matrices depend on besides its params. */
export type WeightCall =
  | {
      readonly kind: 'compose';
      readonly params: ComposeParams;
      /** [kvHeads], as the run resolved them; undefined without a gate. */
      readonly gates: readonly number[] | undefined;
    }
  | {
      readonly kind: 'decode';
      readonly params: DecodeParams;
      /** Number of the storage that holds the keys, from 1; 0 is the keys as they were made. */
      readonly storage: number;
    }
  | { readonly kind: 'recurrent'; readonly params: RecurrentParams };

/** Sizes of a cell's matrices: the rows of a decode step are its heads' queries, those of a recurrence its tokens. */
export function weightShape(call: WeightCall): WeightShape {
  switch (call.kind) {
    case 'compose': {
      const { batch, queryHeads, queries, keys } = call.params.shape;
      return { batches: batch, heads: queryHeads, queries, keys };
    }
    case 'decode': {
      const { batch, queryHeads, queries, keys } = call.params.shape;
      return { batches: batch, heads: 1, queries: queryHeads * queries, keys };
    }
    case 'recurrent': {
      const { batch, heads, tokens } = call.params.shape;
      const keys = prefixKeys(call.params.rule) + tokens;
      return { batches: batch, heads, queries: tokens, keys };
    }
  }
}

/** The matrices of a cell; yields the share of its tensors that are made. */
export function* weightSteps(call: WeightCall): Generator<number, WeightMatrices> {
  switch (call.kind) {
    case 'compose':
      return yield* composeWeightSteps(call.params, call.gates);
    case 'decode':
      return yield* decodeWeightSteps(call.params, call.storage);
    case 'recurrent':
      return callWeights(yield* makeCallSteps(call.params));
  }
}
