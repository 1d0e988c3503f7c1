import { createRandom } from '../../random/random';
import type { PriorityPart } from '../../spec/kinds/serve-priority';

type External = Extract<PriorityPart, { type: 'external' }>;

/**
 * A key for every request in every period of `everyIterations` decode steps: drawn anew each time, or
 * kept with a chance (a Markov chain). A function of the seed, the request and the period.
 */
export function externalOrder(
  part: External,
): (id: number, length: number, step: number) => number {
  const random = createRandom(part.seed);
  const known = new Map<number, { period: number; key: number }>();
  function draw(id: number, period: number): { readonly key: number; readonly keeps: boolean } {
    const stream = random.fork(`order ${id} ${period}`);
    const key = stream.uniform();
    return { key, keeps: part.pattern === 'markov' && stream.uniform() < part.keepChance };
  }
  return (id, _, step) => {
    const period = Math.floor(step / part.everyIterations);
    const before = known.get(id);
    if (before?.period === period) return before.key;
    let key = before?.key ?? draw(id, period).key;
    // A period that a request has not seen may have changed its place as well.
    for (let each = (before?.period ?? period) + 1; each <= period; each++) {
      const drawn = draw(id, each);
      if (!drawn.keeps) key = drawn.key;
    }
    known.set(id, { period, key });
    return key;
  };
}
