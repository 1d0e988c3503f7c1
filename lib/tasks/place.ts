import type { Random } from '../random/random';
import { fillerTokens } from './filler';
import { BOS, STOP } from './vocabulary';

/** A run of tokens that must stay together in the context. */
export interface Statement {
  readonly tokens: readonly number[];
  /** Wanted place, 0 (start) to 1 (end of the filler); drawn uniformly when absent. */
  readonly depth?: number;
}

export interface Placed {
  readonly context: number[];
  /** [start, end) of each statement, in the order given. */
  readonly spans: (readonly [number, number])[];
}

/** Draws `count` different items. @throws RangeError when there are not enough */
export function drawDistinct<T>(items: readonly T[], count: number, random: Random): T[] {
  if (count > items.length) {
    throw new RangeError(`cannot draw ${count} different items from ${items.length}`);
  }
  const pool = items.slice();
  for (let i = 0; i < count; i++) {
    const j = random.integer(i, pool.length - 1);
    const item = pool[j] as T;
    pool[j] = pool[i] as T;
    pool[i] = item;
  }
  return pool.slice(0, count);
}

/**
 * A context of exactly `contextTokens`: begin-of-sequence, filler, and the statements put between
 * sentences at their depths. Statements of equal depth keep their order.
 *
 * @throws RangeError when the statements alone are longer than the context
 */
export function placeStatements(
  statements: readonly Statement[],
  contextTokens: number,
  random: Random,
): Placed {
  const stated = statements.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const fillerCount = contextTokens - 1 - stated;
  if (fillerCount < 0) {
    throw new RangeError(
      `invalid contextTokens: ${contextTokens} (the statements alone need ${stated + 1})`,
    );
  }
  const filler = fillerTokens(fillerCount, random);
  const gaps = [0];
  for (let i = 0; i < filler.length; i++) if (filler[i] === STOP) gaps.push(i + 1);
  const places = statements.map(({ depth }) => {
    if (depth === undefined) return gaps[random.integer(0, gaps.length - 1)] as number;
    const wanted = depth * fillerCount;
    let best = 0;
    for (const gap of gaps) if (Math.abs(gap - wanted) < Math.abs(best - wanted)) best = gap;
    return best;
  });
  const order = statements
    .map((_, i) => i)
    .sort((a, b) => (places[a] as number) - (places[b] as number));
  const context = [BOS];
  const spans: (readonly [number, number])[] = new Array(statements.length);
  let taken = 0;
  for (const index of order) {
    const place = places[index] as number;
    for (; taken < place; taken++) context.push(filler[taken] as number);
    const start = context.length;
    context.push(...(statements[index] as Statement).tokens);
    spans[index] = [start, context.length];
  }
  for (; taken < filler.length; taken++) context.push(filler[taken] as number);
  return { context, spans };
}
