import type { Cover, CoverOf } from './block-list';

/** Boxes asked about one block at most; a block of 32 x 32 has 1024 elements. */
const MAX_BOXES = 48;
/** Boxes asked since a block was last decided, after which a list no longer tries: a few milliseconds. */
const PATIENCE = 2 ** 14;

/**
 * Decides the blocks of one list that intervals over the whole of a block leave open: its parts are
 * asked, the longer side halved, until one part is seen and another is not (`some`), or all are the
 * same. Short runs of tags, remainders that begin anew and unions of conditions are decided so. A
 * block that takes more than `MAX_BOXES` questions, or comes after many that stayed open, is called
 * `some`, which costs time and changes no result.
 */
export function createDecider(cover: CoverOf): CoverOf {
  let left = 0;
  let inVain = 0;
  let found: Cover | undefined;
  /** False where the answer is known to be `some`. */
  const ask = (q0: number, q1: number, k0: number, k1: number): boolean => {
    if (left-- === 0) return false;
    const kind = cover(q0, q1, k0, k1);
    if (kind !== 'some') {
      found ??= kind;
      return found === kind;
    }
    return divide(q0, q1, k0, k1);
  };
  const divide = (q0: number, q1: number, k0: number, k1: number): boolean => {
    if (q1 - q0 === 1 && k1 - k0 === 1) return false;
    if (q1 - q0 >= k1 - k0) {
      const middle = (q0 + q1) >>> 1;
      return ask(q0, middle, k0, k1) && ask(middle, q1, k0, k1);
    }
    const middle = (k0 + k1) >>> 1;
    return ask(q0, q1, k0, middle) && ask(q0, q1, middle, k1);
  };
  return (queryStart, queryEnd, keyStart, keyEnd) => {
    if (inVain > PATIENCE) return 'some';
    left = MAX_BOXES;
    found = undefined;
    const isDecided = divide(queryStart, queryEnd, keyStart, keyEnd) && found !== undefined;
    inVain = isDecided ? 0 : inVain + MAX_BOXES - Math.max(0, left);
    return isDecided ? (found ?? 'some') : 'some';
  };
}
