import { type Plan, planLabel, planServe } from '../../lib/serving/plan/plan';
import type { CellOf, Notebook } from '../../lib/spec/notebook';
import { freeId } from '../state/edits';
import type { EditActions } from '../state/use-notebook';

/** Appends a serve cell that runs a plan under the load of the cell that was searched. */
export function servePlan(
  { inputs, params }: CellOf<'plan'>,
  plan: Plan,
  notebook: Notebook,
  edit: EditActions,
): { readonly id: string } | { readonly problem: string } {
  const searched = notebook.cells.find(({ id }) => id === inputs[0]);
  if (searched?.kind !== 'serve')
    return { problem: `${planLabel(plan)}: the serve cell that was searched is gone` };
  const id = freeId(notebook, 'plan-serve');
  const problem = edit.append([
    {
      id,
      kind: 'serve',
      inputs: searched.inputs,
      params: planServe(plan, searched.params, params),
    },
  ]);
  return problem === undefined ? { id } : { problem };
}
