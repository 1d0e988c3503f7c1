'use client';

import { useCallback, useEffect, useRef, useState } from 'react';
import type { Session } from '../../lib/run/session-types';
import { isAbortError } from '../../lib/run/worker-client';
import type { RequestTrace } from '../../lib/serving/trace/types';

export interface ShownTrace {
  readonly runId: string;
  readonly trace: RequestTrace;
  readonly selected: number | undefined;
}

export interface TraceState {
  readonly shown: ShownTrace | undefined;
  readonly isBusy: boolean;
  readonly problem: string | undefined;
  ask(runId: string, requestId: number): void;
  select(phase: number): void;
  clear(): void;
}

/**
 * The way of one request, asked of the worker that simulates; a newer question drops the older.
 * @param key names the results that the traces are of: another one clears what is shown
 */
export function useRequestTrace(session: Session, key: string): TraceState {
  const [shown, setShown] = useState<ShownTrace>();
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const asked = useRef<AbortController>(undefined);
  const clear = useCallback(() => {
    asked.current?.abort();
    setShown(undefined);
    setProblem(undefined);
    setBusy(false);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` names the results that the trace is of
  useEffect(() => clear, [clear, key]);
  const ask = useCallback(
    (runId: string, requestId: number) => {
      asked.current?.abort();
      const controller = new AbortController();
      asked.current = controller;
      setBusy(true);
      setProblem(undefined);
      session.traceRequest(runId, requestId, controller.signal).then(
        (trace) => {
          if (asked.current !== controller) return;
          setBusy(false);
          setShown({ runId, trace, selected: trace.phases.length > 0 ? 0 : undefined });
        },
        (error: unknown) => {
          if (asked.current !== controller || isAbortError(error)) return;
          setBusy(false);
          setProblem(error instanceof Error ? error.message : String(error));
        },
      );
    },
    [session],
  );
  const select = useCallback(
    (phase: number) => setShown((before) => before && { ...before, selected: phase }),
    [],
  );
  return { shown, isBusy, problem, ask, select, clear };
}
