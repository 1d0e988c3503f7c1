import { format } from 'd3-format';

const significant = format('.3~s');
const plain = format('.3~r');

/** Seconds in a unit that suits them: `31.2 ms`, `1.25 s`, `412 us`. `none` for NaN. */
export function formatSeconds(seconds: number): string {
  if (Number.isNaN(seconds)) return 'none';
  const magnitude = Math.abs(seconds);
  if (magnitude === 0) return '0 s';
  if (magnitude < 1e-3) return `${plain(seconds * 1e6)} \u00b5s`;
  if (magnitude < 1) return `${plain(seconds * 1e3)} ms`;
  return magnitude < 600 ? `${plain(seconds)} s` : `${plain(seconds / 60)} min`;
}

/** `12.3k`, `4.2M`; `none` for NaN. */
export function formatCount(value: number): string {
  if (Number.isNaN(value)) return 'none';
  return Math.abs(value) < 1000 ? plain(value) : significant(value);
}

/** Bytes in powers of 1024. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  const step = bytes < 1024 ? 0 : Math.min(3, Math.floor(Math.log2(bytes) / 10));
  return `${Number((bytes / 1024 ** step).toPrecision(3))} ${units[step]}`;
}

export function formatPercent(share: number): string {
  return Number.isNaN(share) ? 'none' : `${plain(share * 100)} %`;
}

/** A share of which small amounts need not be told apart. */
export function formatShare(share: number): string {
  return share < 5e-4 ? 'under 0.1 %' : formatPercent(share);
}

/** Small errors as powers: `2.1e-7`. */
export function formatError(value: number): string {
  return Number.isNaN(value) ? 'not a number' : value === 0 ? '0' : value.toExponential(1);
}

/** `ttftSeconds` as `ttft (s)`: the unit of a field's name, spelled for a reader. */
export function fieldLabel(name: string): string {
  const units: readonly (readonly [RegExp, string])[] = [
    [/GigabytesPerSecond$/, 'GB/s'],
    [/PerSecond$/, '/s'],
    [/Microseconds$/, '\u00b5s'],
    [/Milliseconds$/, 'ms'],
    [/Seconds$/, 's'],
    [/Tokens$/, 'tokens'],
  ];
  const unit = units.find(([pattern]) => pattern.test(name));
  const stem = unit === undefined ? name : name.replace(unit[0], '');
  const words = (stem === '' ? name : stem)
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replace(/\b(ttft|tpot|kv|slo|cv|lse|cuda)\b/g, (word) => word.toUpperCase());
  return unit === undefined ? words : `${words} (${unit[1]})`;
}
