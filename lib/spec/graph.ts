import type { Cell } from './notebook';

type Node = Pick<Cell, 'id' | 'inputs'>;

/** Cells in an order in which every input comes before its user; document order otherwise. Cyclic parts are left out. */
export function topologicalOrder<T extends Node>(cells: readonly T[]): readonly T[] {
  const byId = new Map(cells.map((cell) => [cell.id, cell]));
  const order: T[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const visit = (cell: T): boolean => {
    const known = state.get(cell.id);
    if (known !== undefined) return known === 'done';
    state.set(cell.id, 'open');
    const isReady = cell.inputs.every((id) => {
      const input = byId.get(id);
      return input === undefined || visit(input);
    });
    if (!isReady) return false;
    state.set(cell.id, 'done');
    order.push(cell);
    return true;
  };
  for (const cell of cells) visit(cell);
  return order;
}

/** Ids of everything that the cell depends on, nearest first; the cell itself is not among them. */
export function ancestors(cells: readonly Node[], id: string): ReadonlySet<string> {
  return reach(id, (at) => cells.find((cell) => cell.id === at)?.inputs ?? []);
}

/** Ids of everything that depends on the cell. */
export function descendants(cells: readonly Node[], id: string): ReadonlySet<string> {
  return reach(id, (at) => cells.filter((cell) => cell.inputs.includes(at)).map((cell) => cell.id));
}

function reach(start: string, next: (id: string) => readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const queue = [...next(start)];
  for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
    if (seen.has(id) || id === start) continue;
    seen.add(id);
    queue.push(...next(id));
  }
  return seen;
}

/** One cycle as the ids along it, first repeated at the end, or undefined. */
export function findCycle(cells: readonly Node[]): readonly string[] | undefined {
  const byId = new Map(cells.map((cell) => [cell.id, cell]));
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (id: string): readonly string[] | undefined => {
    const at = path.indexOf(id);
    if (at >= 0) return [...path.slice(at), id];
    if (done.has(id)) return undefined;
    path.push(id);
    for (const input of byId.get(id)?.inputs ?? []) {
      const cycle = byId.has(input) ? visit(input) : undefined;
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    done.add(id);
    return undefined;
  };
  for (const cell of cells) {
    const cycle = visit(cell.id);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
