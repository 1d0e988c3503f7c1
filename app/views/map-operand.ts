import type { AttentionResult } from '../../lib/attention/types';
import type { AttentionParams } from '../../lib/spec/kinds/attention';
import type { MapHead } from './use-map-data';

/** An attention cell with its result. */
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
}

export function headOf(
  { source, resultKey, attention }: MapOperand,
  batch: number,
  head: number,
): MapHead {
  const { queries, keys } = attention.shape;
  return { source, resultKey, batch, head, queries, keys };
}
