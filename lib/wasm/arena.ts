import { MAX_PAGES, PAGE_BYTES } from './layout';

const ALIGNMENT = 64;
const MIB = 2 ** 20;

/** A WebAssembly memory that is handed out from its start and taken back from its end. */
export interface Arena {
  readonly memory: WebAssembly.Memory;
  /**
   * Takes bytes at the end; the memory grows where it must, which voids views taken before.
   *
   * @returns byte offset, a multiple of 64
   * @throws Error with a sentence where the memory cannot grow
   */
  place(bytes: number): number;
  /** Where the next place starts. */
  readonly end: number;
  /** Takes back all that was placed from `end` on. */
  release(end: number): void;
  /** The whole memory as it is now. */
  floats(): Float32Array<ArrayBuffer>;
  integers(): Int32Array<ArrayBuffer>;
}

/** @param purpose what needs the memory, for the sentence that says it cannot be had */
export function createArena(purpose: string): Arena {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: MAX_PAGES });
  // Address 0 means none.
  let end = ALIGNMENT;
  let floats = new Float32Array(memory.buffer);
  let integers = new Int32Array(memory.buffer);

  function growTo(bytes: number): void {
    const missing = Math.ceil((bytes - memory.buffer.byteLength) / PAGE_BYTES);
    if (missing <= 0) return;
    try {
      memory.grow(missing);
    } catch (cause) {
      const size = (bytes / MIB).toFixed(0);
      throw new Error(
        `${purpose} needs ${size} MiB of memory, more than WebAssembly could get here`,
        { cause },
      );
    }
  }

  return {
    memory,
    get end() {
      return end;
    },
    place(bytes) {
      const start = end;
      const after = ALIGNMENT * Math.ceil((start + bytes) / ALIGNMENT);
      growTo(after);
      end = after;
      return start;
    },
    release(to) {
      end = to;
    },
    floats() {
      if (floats.buffer !== memory.buffer) floats = new Float32Array(memory.buffer);
      return floats;
    },
    integers() {
      if (integers.buffer !== memory.buffer) integers = new Int32Array(memory.buffer);
      return integers;
    },
  };
}
