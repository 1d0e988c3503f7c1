import { decayAt, isDeltaRule } from '../recurrent/rule';
import type { RecurrentInputs, StateRule } from '../recurrent/types';
import type { KeptRows, RowProducts } from './types';

/** Tokens whose steps are folded into one product. */
export const CHUNK_TOKENS = 64;

/** What a chunk of tokens does to a query that is read backwards through it. */
interface Chunk {
  /** Rows by which a query gives the chunk's reads at once, [tokens, keySize]. */
  readonly reads: KeptRows;
  /** Weight of a token over its read. */
  readonly scale: Float64Array;
  /** What reads take off the query, [keySize, tokens]; undefined where nothing is erased. */
  readonly erases: KeptRows | undefined;
  /** Factor of every channel of the query behind the chunk; undefined for 1. */
  readonly decay: Float32Array | undefined;
}

/** Chunks of one row of batch x heads, made when they are first asked for. */
export interface StateChunks {
  at(chunk: number): Chunk;
  /** Keys of the prefix, where the rule has one. */
  readonly prefix: KeptRows | undefined;
}

/**
 * A state rule's steps by chunks of 64 tokens (the WY form of Yang et al. 2024, read backwards). With
 * a_s the decays of the chunk's tokens after s, a query u has the reads r = (I + N)^-1 K u, where
 * N_sj = beta_j k_s . k_j for j > s; the weight of token s is beta_s a_s r_s, and behind the chunk
 * the query is a (u - sum of beta_j r_j k_j). Rules that erase nothing have N = 0; a decay per
 * channel goes into the keys. All of it is made in f64 and kept in f32.
 */
export function stateChunks(
  inputs: RecurrentInputs,
  rule: StateRule,
  row: number,
  products: RowProducts,
): StateChunks {
  const { tokens, keySize } = inputs.shape;
  const made = new Map<number, Chunk>();
  const prefixTokens = rule.type === 'prefix-linear' ? rule.prefixTokens : 0;
  const prefix =
    prefixTokens > 0
      ? products.keep(
          inputs.prefixKey!.subarray(
            row * prefixTokens * keySize,
            (row + 1) * prefixTokens * keySize,
          ),
          prefixTokens,
          keySize,
        )
      : undefined;

  function make(index: number): Chunk {
    const first = index * CHUNK_TOKENS;
    const count = Math.min(CHUNK_TOKENS, tokens - first);
    const at = (row * tokens + first) * keySize;
    const key = inputs.key.subarray(at, at + count * keySize);
    const beta = (s: number) =>
      isDeltaRule(rule) ? inputs.writeStrength![row * tokens + first + s]! : 1;
    const isPerChannel = rule.type === 'gated';
    const isDecayed = ['retnet', 'gated', 'ssd', 'gated-delta'].includes(rule.type);
    const decay = new Float64Array(keySize).fill(1);
    const scale = new Float64Array(count);
    const reads = new Float64Array(count * keySize);
    for (let s = count - 1; s >= 0; s--) {
      scale[s] = beta(s) * (isPerChannel ? 1 : decay[0]!);
      for (let c = 0; c < keySize; c++) {
        reads[s * keySize + c] = key[s * keySize + c]! * (isPerChannel ? decay[c]! : 1);
      }
      for (let c = 0; isDecayed && c < keySize; c++) {
        decay[c] = decay[c]! * decayAt(inputs, rule, row, first + s, isPerChannel ? c : 0);
      }
    }
    if (isDeltaRule(rule)) solve(reads, key, count, keySize, beta);
    const erases = isDeltaRule(rule)
      ? products.keep(
          Float64Array.from({ length: keySize * count }, (_, i) => {
            const [c, s] = [Math.floor(i / count), i % count];
            return -decay[0]! * beta(s) * key[s * keySize + c]!;
          }),
          keySize,
          count,
        )
      : undefined;
    return {
      reads: products.keep(reads, count, keySize),
      scale,
      erases,
      decay: isDecayed ? Float32Array.from(decay) : undefined,
    };
  }

  return {
    prefix,
    at(chunk) {
      const known = made.get(chunk) ?? make(chunk);
      made.set(chunk, known);
      return known;
    },
  };
}

/** rows <- (I + N)^-1 rows by substitution from the last token. */
function solve(
  rows: Float64Array,
  key: Float32Array,
  count: number,
  keySize: number,
  beta: (token: number) => number,
): void {
  for (let s = count - 2; s >= 0; s--) {
    for (let j = s + 1; j < count; j++) {
      let dot = 0;
      for (let c = 0; c < keySize; c++) dot += key[s * keySize + c]! * key[j * keySize + c]!;
      const factor = beta(j) * dot;
      if (factor === 0) continue;
      for (let c = 0; c < keySize; c++) rows[s * keySize + c]! -= factor * rows[j * keySize + c]!;
    }
  }
}
