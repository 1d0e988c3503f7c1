'use client';

import { useEffect, useState } from 'react';

const REST_MILLISECONDS = 120;

/** The value once it has rested for a moment: what costs layout follows a pan when it stops. */
export function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), REST_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
