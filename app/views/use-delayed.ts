'use client';

import { useCallback, useEffect, useRef } from 'react';

const REPORT_MILLISECONDS = 300;

/** Calls `report` with the last value once values stop coming: a drag becomes one edit of the document. */
export function useDelayed<T>(report: (value: T) => void): (value: T) => void {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const latest = useRef(report);
  useEffect(() => {
    latest.current = report;
  });
  useEffect(() => () => clearTimeout(timer.current), []);
  return useCallback((value: T) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => latest.current(value), REPORT_MILLISECONDS);
  }, []);
}
