/** Registers of 32 bits, kept in doubles: every product below stays under 2^53. */
const TOP = 2 ** 32;
const HALF = TOP / 2;
const QUARTER = TOP / 4;

/** Largest total of counts that a coder accepts: products of a register and a count stay exact. */
export const MOST_COUNTS = 2 ** 16;

/** The share of a symbol: counts from `low` to `high` of `total`. */
export interface Share {
  readonly low: number;
  readonly high: number;
  readonly total: number;
}

export interface SymbolEncoder {
  put(share: Share): void;
  /** Ends the stream: nothing can be put after. */
  finish(): Uint8Array<ArrayBuffer>;
}

/** An arithmetic coder with integer registers (Witten, Neal and Cleary, 1987). */
export function createEncoder(): SymbolEncoder {
  const bytes: number[] = [];
  let byte = 0;
  let filled = 0;
  let low = 0;
  let high = TOP - 1;
  let pending = 0;

  function bit(value: number): void {
    byte = byte * 2 + value;
    if (++filled < 8) return;
    bytes.push(byte);
    byte = 0;
    filled = 0;
  }
  /** A bit, and the opposite ones that were waiting for it. */
  function settle(value: number): void {
    bit(value);
    for (; pending > 0; pending--) bit(1 - value);
  }

  return {
    put(share) {
      const range = high - low + 1;
      high = low + Math.floor((range * share.high) / share.total) - 1;
      low = low + Math.floor((range * share.low) / share.total);
      for (;;) {
        if (high < HALF) settle(0);
        else if (low >= HALF) {
          settle(1);
          low -= HALF;
          high -= HALF;
        } else if (low >= QUARTER && high < HALF + QUARTER) {
          pending++;
          low -= QUARTER;
          high -= QUARTER;
        } else return;
        low *= 2;
        high = high * 2 + 1;
      }
    },
    finish() {
      pending++;
      settle(low < QUARTER ? 0 : 1);
      while (filled > 0) bit(0);
      return Uint8Array.from(bytes);
    },
  };
}

export interface SymbolDecoder {
  /** The count, below `total`, that lies in the next symbol's share. */
  peek(total: number): number;
  /** Moves past that symbol. */
  take(share: Share): void;
}

/** Reads what `createEncoder` wrote; past the end it reads zeros. */
export function createDecoder(bytes: Uint8Array): SymbolDecoder {
  let low = 0;
  let high = TOP - 1;
  let at = 0;
  let value = 0;

  function nextBit(): number {
    const bit = ((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1;
    at++;
    return bit;
  }
  for (let i = 0; i < 32; i++) value = value * 2 + nextBit();

  return {
    peek(total) {
      return Math.floor(((value - low + 1) * total - 1) / (high - low + 1));
    },
    take(share) {
      const range = high - low + 1;
      high = low + Math.floor((range * share.high) / share.total) - 1;
      low = low + Math.floor((range * share.low) / share.total);
      for (;;) {
        if (high < HALF) {
          // All below: nothing to subtract.
        } else if (low >= HALF) {
          low -= HALF;
          high -= HALF;
          value -= HALF;
        } else if (low >= QUARTER && high < HALF + QUARTER) {
          low -= QUARTER;
          high -= QUARTER;
          value -= QUARTER;
        } else return;
        low *= 2;
        high = high * 2 + 1;
        value = value * 2 + nextBit();
      }
    },
  };
}
