import type { MatrixCodec } from '../matrix';

/** How keys and values are compressed; the matrices may hold one head or all heads of a layer. */
export interface PairCodecs {
  readonly keys: MatrixCodec;
  readonly values: MatrixCodec;
}

/** Bits of a uniform quantiser; 16 is f16. */
export type Bits = 2 | 4 | 8 | 16;
