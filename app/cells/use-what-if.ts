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

/** Runs under changing factors, one at a time: while one is on its way, only the newest waits. */
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
  const flight = useRef<{ controller: AbortController; next: WhatIfFactors | undefined }>(
    undefined,
  );

  const ask = useCallback(
    (wanted: WhatIfFactors, isBase: boolean) => {
      const controller = new AbortController();
      const mine = { controller, next: undefined as WhatIfFactors | undefined };
      flight.current = mine;
      const startedAt = performance.now();
      const goOn = () => {
        if (flight.current !== mine) return;
        flight.current = undefined;
        if (mine.next !== undefined) ask(mine.next, false);
      };
      session.whatIf(cellId, wanted, controller.signal).then(
        (result) => {
          if (flight.current !== mine) return;
          setFound((before) => ({
            base: isBase ? result : before.base,
            changed: result,
            roundTripSeconds: (performance.now() - startedAt) / 1000,
            updates: before.updates + 1,
            problem: undefined,
          }));
          goOn();
        },
        (error: unknown) => {
          if (flight.current !== mine || isAbortError(error)) return;
          const problem = error instanceof Error ? error.message : String(error);
          setFound((before) => ({ ...before, problem }));
          goOn();
        },
      );
    },
    [session, cellId],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: another `key` is another result, whose base must be run anew
  useEffect(() => {
    if (!isOpen) return;
    setFactors(NO_CHANGE);
    ask(NO_CHANGE, true);
    return () => {
      flight.current?.controller.abort();
      flight.current = undefined;
    };
  }, [isOpen, key, ask]);

  const set = useCallback(
    (next: WhatIfFactors) => {
      setFactors(next);
      if (flight.current === undefined) ask(next, false);
      else flight.current.next = next;
    },
    [ask],
  );
  return { factors, ...found, set };
}
