/** Ways to choose `count` of `from`, order aside. */
export function chooseCount(from: number, count: number): number {
  let ways = 1;
  for (let i = 1; i <= count; i++) ways = (ways * (from - count + i)) / i;
  return Math.round(ways);
}
