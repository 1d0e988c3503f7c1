import type { WorkloadSource } from '../spec/kinds/workload';

type ArrivalUnit = Extract<WorkloadSource, { type: 'csv' }>['arrivalUnit'];

const TIMESTAMP =
  /^(\d{4})-(\d{2})-(\d{2})[ T](\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(?:Z|[+-]00:?00)?$/;

/**
 * Seconds since the epoch of a timestamp such as `2023-11-16 18:15:46.6805900`, split in whole
 * seconds and their fraction: as one double, a modern epoch would lose what is below 0.2 us.
 */
export function parseTimestamp(
  text: string,
): readonly [seconds: number, fraction: number] | undefined {
  const match = TIMESTAMP.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, digits] = match.map((part) => part ?? '');
  const whole = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
  const isReal = new Date(whole)
    .toISOString()
    .startsWith(`${year}-${month}-${day}T${hour}:${minute}:${second}`);
  return isReal ? [whole / 1000, Number(`0.${digits || '0'}`)] : undefined;
}

const SECONDS_PER_UNIT: Readonly<Record<Exclude<ArrivalUnit, 'timestamp'>, number>> = {
  seconds: 1,
  milliseconds: 1e-3,
  microseconds: 1e-6,
};

/** Arrival as whole seconds and a fraction, or undefined when the text is not one in this unit. */
export function parseArrival(
  text: string,
  unit: ArrivalUnit,
): readonly [number, number] | undefined {
  if (unit === 'timestamp') return parseTimestamp(text);
  const value = text === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? [0, value * SECONDS_PER_UNIT[unit]] : undefined;
}

/** Numbers from here on are an epoch in milliseconds, or in microseconds: as seconds they would be far from now. */
const EPOCH_MILLISECONDS = 1e11;
const EPOCH_MICROSECONDS = 1e14;

/** The unit that an arrival seems to be in, where nothing says it: a timestamp, an epoch, else seconds. */
export function guessUnit(text: string): ArrivalUnit {
  if (parseTimestamp(text) !== undefined) return 'timestamp';
  const value = Number(text);
  if (value >= EPOCH_MICROSECONDS) return 'microseconds';
  return value >= EPOCH_MILLISECONDS ? 'milliseconds' : 'seconds';
}
