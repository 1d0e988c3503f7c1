import type { ComposeResult } from '../attention/compose/result';
import { attentionCall } from './attention-call';
import type { Board } from './board';
import type { MapCall } from './worker-api';

/**
 * The call whose map a cell has: that of its result on show. Of a decode step it is the one over the
 * keys as they were made.
 *
 * @throws Error where there is no result of a kind that has a map
 */
export function mapCall(board: Board, cellId: string): MapCall {
  const output = board.records.get(cellId)?.result?.output;
  switch (output?.kind) {
    case 'compose':
      return { kind: 'compose', params: output.value.params, gates: gatesOf(output.value) };
    case 'decode':
      return { kind: 'decode', params: output.value.params, storage: 0 };
    case 'recurrent':
      return { kind: 'recurrent', params: output.value.params };
    default:
      return attentionCall(board, cellId);
  }
}

/** Gates by KV head, from those of the heads that share it. */
function gatesOf({ params, heads }: ComposeResult): readonly number[] | undefined {
  const { queryHeads, kvHeads } = params.shape;
  const gates = Array.from({ length: kvHeads }, (_, kvHead) => {
    const first = (kvHead * queryHeads) / kvHeads;
    return heads.find(({ head }) => head === first)?.gate;
  });
  const known = gates.filter((gate) => gate !== undefined);
  return known.length === kvHeads ? known : undefined;
}
