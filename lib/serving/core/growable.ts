/** An append-only column of numbers that doubles its typed array: no allocation per append. */
export interface Growable<A extends Float64Array | Int32Array> {
  push(value: number): void;
  readonly length: number;
  /** The column so far, copied to its exact length. */
  take(): A;
}

function growable<A extends Float64Array | Int32Array>(make: (length: number) => A): Growable<A> {
  let data = make(1024);
  let length = 0;
  return {
    push(value) {
      if (length === data.length) {
        const larger = make(length * 2);
        larger.set(data);
        data = larger;
      }
      data[length++] = value;
    },
    get length() {
      return length;
    },
    take: () => data.slice(0, length) as A,
  };
}

export const growableFloats = (): Growable<Float64Array> => growable((n) => new Float64Array(n));
export const growableInts = (): Growable<Int32Array> => growable((n) => new Int32Array(n));
