import type { MixtureInputs } from './mixture';

/** Which memory each token wrote. */
export interface MixtureLoad {
  /** Tokens written per memory, over all batches; the shared memory is not counted. */
  readonly writes: readonly number[];
  readonly tokens: number;
  /**
   * memories x sum over memories of (share of writes x mean probability), the router's auxiliary
   * loss: 1 is balanced, more is a router that prefers some (Fedus et al. 2021, Switch).
   */
  readonly balance: number;
  /** Largest share of writes over the mean one. */
  readonly peak: number;
  /** Per memory, the share of each stretch of batch 0's tokens that wrote it. */
  readonly stretches: readonly (readonly number[])[];
}

const MOST_STRETCHES = 64;

export function mixtureLoad({ shape, rule, routing }: MixtureInputs): MixtureLoad {
  const { memories, topK } = rule;
  const rows = shape.batch * shape.tokens;
  const stretches = Math.min(MOST_STRETCHES, shape.tokens);
  const writes = new Array<number>(memories).fill(0);
  const mean = new Array<number>(memories).fill(0);
  const written = writes.map(() => new Array<number>(stretches).fill(0));
  const lengths = new Array<number>(stretches).fill(0);
  for (let row = 0; row < rows; row++) {
    const stretch = row < shape.tokens ? Math.floor((row * stretches) / shape.tokens) : undefined;
    if (stretch !== undefined) lengths[stretch] = lengths[stretch]! + 1;
    for (let m = 0; m < memories; m++) {
      mean[m] = mean[m]! + routing.probabilities[row * memories + m]! / rows;
      if (routing.weights[row * memories + m]! === 0) continue;
      writes[m] = writes[m]! + 1;
      if (stretch !== undefined) written[m]![stretch] = written[m]![stretch]! + 1;
    }
  }
  const shares = writes.map((count) => count / (rows * topK));
  return {
    writes,
    tokens: rows,
    balance: memories * shares.reduce((sum, share, m) => sum + share * mean[m]!, 0),
    peak: memories * Math.max(...shares),
    stretches: written.map((counts) => counts.map((count, i) => count / lengths[i]!)),
  };
}
