'use client';

import { useEffect, useState } from 'react';

/** The sentence why the last change was not taken; params that were taken leave none behind. */
export function useParamsProblem(
  params: unknown,
): readonly [string | undefined, (problem: string | undefined) => void] {
  const [problem, setProblem] = useState<string>();
  const key = JSON.stringify(params);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another key is what clears it
  useEffect(() => setProblem(undefined), [key]);
  return [problem, setProblem];
}
