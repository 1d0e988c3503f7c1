export interface Minimum {
  readonly at: readonly number[];
  readonly value: number;
  readonly evaluations: number;
}

interface Vertex {
  at: readonly number[];
  value: number;
}

/**
 * Downhill simplex (Nelder and Mead, 1965; coefficients 1, 2, 1/2, 1/2). A generator, so that the
 * caller can stop for breath: it yields the number of evaluations after each of them.
 *
 * @param step by which each coordinate of the first simplex differs from `start`
 */
export function* nelderMead(
  value: (at: readonly number[]) => number,
  start: readonly number[],
  step: number,
  maxEvaluations: number,
): Generator<number, Minimum> {
  let evaluations = 0;
  const evaluate = (at: readonly number[]): Vertex => {
    evaluations++;
    return { at, value: value(at) };
  };
  const simplex: Vertex[] = [evaluate(start)];
  for (let i = 0; i < start.length; i++) {
    simplex.push(evaluate(start.map((each, j) => (i === j ? each + step : each))));
    yield evaluations;
  }
  const worst = simplex.length - 1;
  const sort = (): void => {
    simplex.sort((a, b) => a.value - b.value);
  };
  sort();
  while (evaluations < maxEvaluations) {
    const [best, last] = [simplex[0] as Vertex, simplex[worst] as Vertex];
    const width = Math.max(...best.at.map((each, j) => Math.abs(each - (last.at[j] as number))));
    if (last.value - best.value < 1e-9 && width < 1e-6) break;
    const centre = start.map(
      (_, j) => simplex.slice(0, worst).reduce((sum, { at }) => sum + (at[j] as number), 0) / worst,
    );
    const along = (factor: number): Vertex =>
      evaluate(centre.map((each, j) => each + factor * ((last.at[j] as number) - each)));
    const reflected = along(-1);
    if (reflected.value < best.value) {
      const expanded = along(-2);
      simplex[worst] = expanded.value < reflected.value ? expanded : reflected;
    } else if (reflected.value < (simplex[worst - 1] as Vertex).value) simplex[worst] = reflected;
    else {
      const contracted = along(reflected.value < last.value ? -0.5 : 0.5);
      if (contracted.value < Math.min(reflected.value, last.value)) simplex[worst] = contracted;
      else {
        for (let i = 1; i <= worst; i++) {
          const { at } = simplex[i] as Vertex;
          simplex[i] = evaluate(at.map((each, j) => ((best.at[j] as number) + each) / 2));
          yield evaluations;
        }
      }
    }
    sort();
    yield evaluations;
  }
  const { at, value: least } = simplex[0] as Vertex;
  return { at, value: least, evaluations };
}
