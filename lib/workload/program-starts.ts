import type { Workload } from './types';

/** When each program arrives, ascending: its first request. Without programs, when each request does. */
export function programStarts({
  arrivalSeconds,
  programs,
}: Pick<Workload, 'arrivalSeconds' | 'programs'>): Float64Array {
  if (programs === undefined) return arrivalSeconds;
  const seen = new Set<number>();
  return arrivalSeconds.filter((_, row) => {
    const id = programs.programIds[row] as number;
    if (seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}
