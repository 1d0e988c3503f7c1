import { type Interval, wilsonInterval } from './wilson';

/** Right answers out of all. */
export interface Tally {
  readonly right: number;
  readonly total: number;
}

/** A share with its interval of 95 %. */
export interface TalliedShare extends Tally, Interval {
  readonly share: number;
}

export function talliedShare({ right, total }: Tally): TalliedShare {
  return {
    right,
    total,
    share: total === 0 ? Number.NaN : right / total,
    ...wilsonInterval(right, total),
  };
}

/** Counts right answers by a key, in the order the keys were first met. */
export interface KeyedTally<K> {
  add(key: K, isRight: boolean): void;
  entries(): (readonly [K, TalliedShare])[];
}

export function createKeyedTally<K>(): KeyedTally<K> {
  const counts = new Map<K, Tally>();
  return {
    add(key, isRight) {
      const { right, total } = counts.get(key) ?? { right: 0, total: 0 };
      counts.set(key, { right: right + (isRight ? 1 : 0), total: total + 1 });
    },
    entries: () => [...counts].map(([key, tally]) => [key, talliedShare(tally)] as const),
  };
}

/** Sums over clusters (contexts) of answers, enough for the design effect. */
export interface ClusterTally {
  add(right: number, total: number): void;
  /**
   * Share of right answers with an interval that knows that answers about one context go together:
   * the Wilson interval at the effective number of answers (Korn and Graubard, 1998), with the
   * design effect of the ratio estimator, taken as at least 1.
   */
  share(): TalliedShare & { readonly designEffect: number };
}

export function createClusterTally(): ClusterTally {
  let clusters = 0;
  let right = 0;
  let total = 0;
  let rightSquares = 0;
  let totalSquares = 0;
  let products = 0;
  return {
    add(rightHere, totalHere) {
      clusters++;
      right += rightHere;
      total += totalHere;
      rightSquares += rightHere ** 2;
      totalSquares += totalHere ** 2;
      products += rightHere * totalHere;
    },
    share() {
      const share = total === 0 ? Number.NaN : right / total;
      const simple = (share * (1 - share)) / total;
      let designEffect = 1;
      if (clusters > 1 && simple > 0 && total > clusters) {
        const residual = rightSquares - 2 * share * products + share ** 2 * totalSquares;
        const variance = ((clusters / (clusters - 1)) * Math.max(0, residual)) / total ** 2;
        designEffect = Math.max(1, variance / simple);
      }
      return {
        right,
        total,
        share,
        designEffect,
        ...wilsonInterval(right / designEffect, total / designEffect),
      };
    },
  };
}
