import type { Random } from '../random/random';

export interface TickSpread {
  readonly mode: 'none' | 'in-order' | 'uniform';
  readonly seconds: number;
}

const TOLERANCE_SECONDS = 0.005;

/**
 * Arrival times that a trace rounds down to a tick, spread over it: requests of one tick arrive
 * evenly from its beginning on (`in-order`), or at times drawn uniformly in it and sorted
 * (`uniform`). The order of the requests stays. Times within 5 ms of a tick are on it: those of
 * Mooncake's traces miss it by up to 3 ms. Others are left as they are.
 *
 * @param sorted ascending times in seconds
 * @returns the times, and how many were on no tick
 */
export function spreadTicks(
  sorted: Float64Array,
  { mode, seconds }: TickSpread,
  random: Random,
): { readonly times: Float64Array; readonly offTick: number } {
  if (mode === 'none') return { times: sorted, offTick: 0 };
  const times = sorted.slice();
  let offTick = 0;
  const tolerance = Math.min(TOLERANCE_SECONDS, seconds / 4);
  const tickOf = (time: number): number | undefined => {
    const tick = Math.round(time / seconds);
    return Math.abs(time - tick * seconds) <= tolerance ? tick : undefined;
  };
  for (let from = 0; from < sorted.length; ) {
    const tick = tickOf(sorted[from] as number);
    let to = from + 1;
    if (tick === undefined) offTick++;
    else {
      while (to < sorted.length && tickOf(sorted[to] as number) === tick) to++;
      const shares = Float64Array.from({ length: to - from }, (_, i) =>
        mode === 'uniform' ? random.uniform() : i / (to - from),
      ).sort();
      shares.forEach((share, i) => {
        times[from + i] = (tick + share) * seconds;
      });
    }
    from = to;
  }
  // A time off the tick may now stand before one that was spread.
  return { times: offTick === 0 ? times : ascending(times), offTick };
}

function ascending(times: Float64Array): Float64Array {
  let last = -Infinity;
  return times.map((time) => {
    last = Math.max(last, time);
    return last;
  });
}
