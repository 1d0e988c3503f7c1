import { PAGE_BYTES } from './layout';
import { instantiateKernel } from './module';

/** What one thread reached in a short probe. */
export interface ThreadRoof {
  readonly gigaflopsPerSecond: number;
  readonly gigabytesPerSecond: number;
}

/** Dimensions of the probed product: its 4 rows and 8 keys stay in the first-level cache. */
const PROBE_DIMS = 256;
/** Larger than the second-level cache of one core. */
const COPY_BYTES = 8 * 2 ** 20;
const WINDOW_MILLISECONDS = 8;
const WINDOWS = 4;

/** Best of a few windows: units of work per second, of which `work` does `unitsPerCall`. */
function bestRate(unitsPerCall: number, callsPerLook: number, work: () => void): number {
  let best = 0;
  for (let window = 0; window < WINDOWS; window++) {
    const start = performance.now();
    let calls = 0;
    let milliseconds = 0;
    do {
      for (let i = 0; i < callsPerLook; i++) work();
      calls += callsPerLook;
      milliseconds = performance.now() - start;
    } while (milliseconds < WINDOW_MILLISECONDS);
    best = Math.max(best, (1000 * calls * unitsPerCall) / milliseconds);
  }
  return best;
}

/**
 * This thread's own best, in less than 0.1 s: the register tile of the score product (4 x 8 in
 * SIMD, mul and add) on data in the first-level cache, and a copy of 8 MiB (bytes read plus bytes
 * written).
 */
export function probeThread(): ThreadRoof {
  const pages = Math.ceil((2 * COPY_BYTES) / PAGE_BYTES) + 1;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { scorePanel } = instantiateKernel(memory, () => undefined);
  const query = 1024;
  const keys = query + 16 * PROBE_DIMS;
  new Float32Array(memory.buffer).fill(0.5, query / 4, keys / 4 + 8 * PROBE_DIMS);
  const flops = bestRate(2 * 4 * 8 * PROBE_DIMS, 64, () =>
    scorePanel(query, keys, 0, PROBE_DIMS, 1),
  );
  const bytes = new Uint8Array(memory.buffer);
  // The first pass touches the pages.
  bytes.copyWithin(COPY_BYTES, 0, COPY_BYTES);
  const moved = bestRate(2 * COPY_BYTES, 1, () => {
    bytes.copyWithin(COPY_BYTES, 0, COPY_BYTES);
  });
  return { gigaflopsPerSecond: flops / 1e9, gigabytesPerSecond: moved / 1e9 };
}
