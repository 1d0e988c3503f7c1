import type { KeptRows, RowProducts } from '../attention/weights/types';
import { createArena } from './arena';
import { instantiateTransformer } from './transformer-kernel';

const PANEL = 8;
const FOUR = 4;
const whole = (count: number, of: number) => of * Math.ceil(count / of);

interface Kept extends KeptRows {
  /** Byte offset of panels [panels][size][8]. */
  readonly at: number;
  readonly panels: number;
  /** Channels with the zeros that fill them up. */
  readonly width: number;
}

/**
 * Products of f32 rows in WebAssembly SIMD, by the decoder's kernel for products with packed weights:
 * what is kept is packed once and multiplied with blocks of rows. The memory lives as long as what
 * `createRowProducts` returns.
 *
 * @throws Error with a sentence where there is no WebAssembly or no memory
 */
export function createRowProducts(): RowProducts {
  const arena = createArena('a map');
  const kernel = instantiateTransformer(arena.memory);
  let zeros = { at: 0, panels: 0 };
  /** Places for the rows, their interleaved copy and the products; they grow. */
  let scratch = { rows: 0, packed: 0, out: 0, bytes: 0 };

  function reserve(bytes: number): typeof scratch {
    if (bytes <= scratch.bytes) return scratch;
    // Rows of a causal mask get longer one by one: places that only just fit would fill the memory.
    const most = 2 ** Math.ceil(Math.log2(bytes));
    scratch = {
      rows: arena.place(most),
      packed: arena.place(most),
      out: arena.place(most),
      bytes: most,
    };
    return scratch;
  }

  /** Where the zeros are that the kernel adds to that many panels. */
  function bias(panels: number): number {
    if (panels > zeros.panels) {
      const most = 2 * panels;
      zeros = { at: arena.place(4 * PANEL * most), panels: most };
      arena.floats().fill(0, zeros.at / 4, zeros.at / 4 + PANEL * most);
    }
    return zeros.at;
  }

  return {
    keep(rows, count, size): Kept {
      const width = whole(size, PANEL);
      const panels = Math.ceil(count / PANEL);
      const at = arena.place(4 * panels * PANEL * width);
      const floats = arena.floats();
      floats.fill(0, at / 4, at / 4 + panels * PANEL * width);
      for (let r = 0; r < count; r++) {
        const panel = at / 4 + Math.floor(r / PANEL) * width * PANEL + (r % PANEL);
        for (let c = 0; c < size; c++) floats[panel + c * PANEL] = rows[r * size + c]!;
      }
      return { at, panels, width, count, size, stride: panels * PANEL };
    },
    multiply(rows, count, kept, firstPanel = 0, endPanel = (kept as Kept).panels) {
      const { at, width, size } = kept as Kept;
      const padded = whole(count, FOUR);
      const panels = endPanel - firstPanel;
      const places = reserve(4 * padded * Math.max(width, panels * PANEL));
      const zeros = bias(panels);
      // After both: memory that grows voids views.
      const floats = arena.floats();
      const from = places.rows / 4;
      if (size === width) floats.set(rows.subarray(0, count * size), from);
      else {
        floats.fill(0, from, from + padded * width);
        for (let r = 0; r < count; r++) {
          floats.set(rows.subarray(r * size, (r + 1) * size), from + r * width);
        }
      }
      kernel.packQueries(places.rows, places.packed, count, width);
      kernel.linearRows(
        places.packed,
        at + 4 * firstPanel * width * PANEL,
        zeros,
        places.out,
        padded,
        width,
        width,
        panels,
        0,
      );
      return floats.subarray(places.out / 4, places.out / 4 + count * panels * PANEL);
    },
  };
}
