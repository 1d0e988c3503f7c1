/** A set of sequences of integers, each known by a 64-bit hash of all that is in it. */
export interface ChainSet {
  readonly size: number;
  /** Starts the empty sequence. */
  begin(): void;
  /** Puts an integer at the end of the sequence. */
  chain(value: number): void;
  /** Adds the sequence as it is; true if it was there. */
  add(): boolean;
}

/** Two 32-bit hashes of a chain side by side, in an open table that doubles when it is half full. */
export function createChainSet(): ChainSet {
  let capacity = 2 ** 12;
  let high = new Int32Array(capacity);
  let low = new Int32Array(capacity);
  let size = 0;
  let a = 0;
  let b = 0;

  function place(wantedHigh: number, wantedLow: number): number {
    let at = (wantedHigh ^ Math.imul(wantedLow, 0x9e3779b1)) & (capacity - 1);
    while (high[at] !== 0 || low[at] !== 0) {
      if (high[at] === wantedHigh && low[at] === wantedLow) return at;
      at = (at + 1) & (capacity - 1);
    }
    return at;
  }

  function grow(): void {
    const [oldHigh, oldLow] = [high, low];
    capacity *= 2;
    high = new Int32Array(capacity);
    low = new Int32Array(capacity);
    for (let i = 0; i < oldHigh.length; i++) {
      const [x, y] = [oldHigh[i] as number, oldLow[i] as number];
      if (x === 0 && y === 0) continue;
      const at = place(x, y);
      high[at] = x;
      low[at] = y;
    }
  }

  return {
    get size() {
      return size;
    },
    begin() {
      a = 0x243f6a88;
      b = 0x13198a2e;
    },
    chain(value) {
      a = mix(a ^ value, 0x85ebca6b);
      b = mix((b + value) | 0, 0xc2b2ae35) ^ Math.imul(a, 0x27d4eb2f);
    },
    add() {
      const x = a;
      // Two zeros mark an empty place.
      const y = a === 0 && b === 0 ? 1 : b;
      const at = place(x, y);
      if (high[at] === x && low[at] === y) return true;
      high[at] = x;
      low[at] = y;
      if (++size * 2 > capacity) grow();
      return false;
    },
  };
}

/** One round of MurmurHash3's finalizer with another factor. */
function mix(value: number, factor: number): number {
  const once = Math.imul(value ^ (value >>> 16), factor);
  return Math.imul(once ^ (once >>> 13), 0x2c1b3c6d) ^ (once >>> 15);
}
