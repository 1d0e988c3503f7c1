import { createDecoder, createEncoder, MOST_COUNTS, type Share } from './range-coder';

/** How much one occurrence adds: adapts within some tens of symbols. */
const INCREMENT = 24;

interface Counts {
  readonly of: Uint32Array;
  total: number;
}

/** Counts of a context: encoder and decoder update them alike, so no table is stored. */
function createCounts(symbols: number): Counts {
  return { of: new Uint32Array(symbols).fill(1), total: symbols };
}

function shareOf({ of, total }: Counts, symbol: number): Share {
  let low = 0;
  for (let s = 0; s < symbol; s++) low += of[s]!;
  return { low, high: low + of[symbol]!, total };
}

function learn(counts: Counts, symbol: number): void {
  counts.of[symbol] = counts.of[symbol]! + INCREMENT;
  counts.total += INCREMENT;
  if (counts.total <= MOST_COUNTS) return;
  counts.total = 0;
  for (let s = 0; s < counts.of.length; s++) {
    counts.of[s] = (counts.of[s]! + 1) >> 1;
    counts.total += counts.of[s]!;
  }
}

/** What a stream of symbols is coded with: contexts, and the size of each one's alphabet. */
export interface StreamShape {
  readonly length: number;
  readonly symbolsOf: (context: number) => number;
  readonly contexts: number;
  /** Context of symbol i. */
  readonly contextOf: (i: number) => number;
}

/**
 * Arithmetic coding with a distribution per context, learnt while coding.
 *
 * @throws RangeError for a symbol outside its context's alphabet
 */
export function encodeStream(
  symbols: ArrayLike<number>,
  shape: StreamShape,
): Uint8Array<ArrayBuffer> {
  const encoder = createEncoder();
  const models = modelsOf(shape);
  for (let i = 0; i < shape.length; i++) {
    const counts = models[shape.contextOf(i)]!;
    const symbol = symbols[i]!;
    if (!(symbol >= 0 && symbol < counts.of.length)) {
      throw new RangeError(
        `invalid symbol: ${symbol} at ${i} (expected 0..${counts.of.length - 1})`,
      );
    }
    encoder.put(shareOf(counts, symbol));
    learn(counts, symbol);
  }
  return encoder.finish();
}

/** The inverse of `encodeStream`, exactly. */
export function decodeStream(bytes: Uint8Array, shape: StreamShape): Uint16Array<ArrayBuffer> {
  const decoder = createDecoder(bytes);
  const models = modelsOf(shape);
  const symbols = new Uint16Array(shape.length);
  for (let i = 0; i < shape.length; i++) {
    const counts = models[shape.contextOf(i)]!;
    const target = decoder.peek(counts.total);
    let symbol = 0;
    let low = 0;
    while (low + counts.of[symbol]! <= target) low += counts.of[symbol++]!;
    decoder.take({ low, high: low + counts.of[symbol]!, total: counts.total });
    learn(counts, symbol);
    symbols[i] = symbol;
  }
  return symbols;
}

function modelsOf({ contexts, symbolsOf }: StreamShape): Counts[] {
  return Array.from({ length: contexts }, (_, context) => createCounts(symbolsOf(context)));
}

/**
 * Shannon entropy in bits per symbol when every context has its own known distribution: what an
 * ideal coder takes, its tables not counted.
 */
export function entropyBits(symbols: ArrayLike<number>, contextOf: (i: number) => number): number {
  const contexts = new Map<number, Map<number, number>>();
  for (let i = 0; i < symbols.length; i++) {
    const context = contextOf(i);
    const counts = contexts.get(context) ?? new Map<number, number>();
    contexts.set(context, counts);
    counts.set(symbols[i]!, (counts.get(symbols[i]!) ?? 0) + 1);
  }
  let bits = 0;
  for (const counts of contexts.values()) {
    let total = 0;
    for (const count of counts.values()) total += count;
    for (const count of counts.values()) bits -= count * Math.log2(count / total);
  }
  return symbols.length === 0 ? 0 : bits / symbols.length;
}
