'use client';

import { useCallback, useEffect, useRef, useState } from 'react';
import type { Session } from '../../lib/run/session-types';
import { isAbortError } from '../../lib/run/worker-client';
import { NO_CHANGE, type WhatIfFactors } from '../../lib/serving/what-if/factors';
import type { WhatIfResult } from '../../lib/serving/what-if/what-if-run';

export interface WhatIfState {
  readonly factors: WhatIfFactors;
  /** Under no change, and under the factors; the newest that are there. */
  readonly base: WhatIfResult | undefined;
  readonly changed: WhatIfResult | undefined;
  /** From a change to its result, of the newest one. */
  readonly roundTripSeconds: number | undefined;
  readonly updates: number;
  readonly problem: string | undefined;
  set(factors: WhatIfFactors): void;
}

/** Runs under changing factors. The worker answers the newest; while it runs one, the next waits there. */
export function useWhatIf(
  session: Session,
  cellId: string,
  key: string | undefined,
  isOpen: boolean,
): WhatIfState {
  const [factors, setFactors] = useState(NO_CHANGE);
  const [found, setFound] = useState<
    Pick<WhatIfState, 'base' | 'changed' | 'roundTripSeconds' | 'updates' | 'problem'>
  >({
    base: undefined,
    changed: undefined,
    roundTripSeconds: undefined,
    updates: 0,
    problem: undefined,
  });
  const life = useRef<AbortController>(undefined);

  const ask = useCallback(
    (wanted: WhatIfFactors, isBase: boolean) => {
      const mine = life.current;
      if (mine === undefined) return;
      const startedAt = performance.now();
      const answer = isBase
        ? session.whatIf(cellId, wanted, mine.signal)
        : session.whatIfNewest(cellId, wanted, mine.signal);
      answer.then(
        (result) => {
          if (life.current !== mine || result === undefined) return;
          setFound((before) => ({
            base: isBase ? result : before.base,
            changed: result,
            roundTripSeconds: (performance.now() - startedAt) / 1000,
            updates: before.updates + 1,
            problem: undefined,
          }));
        },
        (error: unknown) => {
          if (life.current !== mine || isAbortError(error)) return;
          const problem = error instanceof Error ? error.message : String(error);
          setFound((before) => ({ ...before, problem }));
        },
      );
    },
    [session, cellId],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: another `key` is another result, whose base must be run anew
  useEffect(() => {
    if (!isOpen) return;
    life.current = new AbortController();
    setFactors(NO_CHANGE);
    ask(NO_CHANGE, true);
    return () => {
      life.current?.abort();
      life.current = undefined;
    };
  }, [isOpen, key, ask]);

  const set = useCallback(
    (next: WhatIfFactors) => {
      setFactors(next);
      ask(next, false);
    },
    [ask],
  );
  return { factors, ...found, set };
}
