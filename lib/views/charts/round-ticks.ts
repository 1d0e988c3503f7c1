/** On a log axis 1, 2 and 5 of each decade get a label; what is between only a tick. */
export function isRound(value: number): boolean {
  const mantissa = value / 10 ** Math.floor(Math.log10(value) + 1e-9);
  return [1, 2, 5].some((round) => Math.abs(mantissa - round) < 1e-6);
}
