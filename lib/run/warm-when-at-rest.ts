import type { ServeParams } from '../spec/kinds/serve';
import type { Notebook } from '../spec/notebook';
import type { Session } from './session-types';
import type { SimulationApi } from './worker-api';
import type { WorkerClient } from './worker-client';

/** A page is at rest when nothing has changed for so long. */
const REST_MILLISECONDS = 300;

/** The strategies that a notebook's sweeps and plans will run, each once. */
export function sweptStrategies({ cells }: Notebook): readonly ServeParams[] {
  const swept = new Set(
    cells.flatMap((cell) => (cell.kind === 'sweep' || cell.kind === 'plan' ? cell.inputs : [])),
  );
  const found = cells.flatMap((cell) =>
    cell.kind === 'serve' && swept.has(cell.id) ? [cell.params] : [],
  );
  return [...new Map(found.map((params) => [params.strategy.type, params])).values()];
}

/**
 * Starts the workers of sweeps while the page is at rest, where its notebook has sweeps: they are
 * there, with compiled code, when Run is pressed. Once for each strategy.
 */
export function warmWhileAtRest(session: Session, simulation: WorkerClient<SimulationApi>): void {
  const warmed = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const consider = (): void => {
    const cold = sweptStrategies(session.notebook).filter(
      ({ strategy }) => !warmed.has(strategy.type),
    );
    clearTimeout(timer);
    if (cold.length === 0) return;
    timer = setTimeout(() => {
      for (const { strategy } of cold) warmed.add(strategy.type);
      // A worker that cannot start will say so when it is needed.
      simulation.call((api) => api.warm(cold)).catch(() => undefined);
    }, REST_MILLISECONDS);
  };
  session.subscribe(consider);
  consider();
}
