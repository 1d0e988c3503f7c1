import type { AttentionResult } from '../../lib/attention/types';
import type { AttentionParams } from '../../lib/spec/kinds/attention';
import type { BlockWords } from '../../lib/views/map/block-words';
import type { MapHead } from './use-map-data';

/** What a map is of: an attention cell with its result, or a head of a cache. */
export interface MapOperand {
  readonly id: string;
  readonly attention: AttentionParams;
  readonly engine: AttentionResult['engine'];
  readonly blockList: AttentionResult['blockList'];
  readonly source: MapHead['source'];
  /** Changes with the attention result. */
  readonly resultKey: string;
  readonly provenanceLabel: string;
  /** Token of every key, where its file names them. */
  readonly tokens: readonly string[] | undefined;
  /** Where the inputs came from, for exports. */
  readonly origin: string;
  /** How its blocks are called. */
  readonly words: BlockWords;
  /** What an element is, where that is more than its block says. */
  readonly stateOf?: (query: number, key: number) => string;
}

export function headOf(
  { source, resultKey, attention }: MapOperand,
  batch: number,
  head: number,
): MapHead {
  const { queries, keys } = attention.shape;
  return { source, resultKey, batch, head, queries, keys };
}
