import { COMPOSE_PRESETS } from '../attention/compose/presets';
import { FORMULA_PRESETS } from '../attention/presets';
import { STORAGE_PRESETS } from '../attention/quantise/presets';
import { RECURRENT_PRESETS } from '../attention/recurrent/presets';
import { POLICIES } from '../cache/policies';
import { STRATEGY_PRESETS } from '../serving/compose/presets';
import {
  cacheCells,
  compositionCells,
  presetCells,
  recurrentCells,
  selectionCells,
  storageCells,
} from './cells';
import { METHODS } from './methods';
import { presetServed } from './serving-cells';
import type { Method, MethodCell } from './types';

const SELECTIONS = [
  ['quest', 'Quest', 'Pages are chosen by a bound that their least and largest keys give.'],
  ['xattention', 'XAttention', 'Blocks are chosen by sums of scores along antidiagonals.'],
  ['moba', 'MoBA', 'Every query attends to the blocks whose mean key it agrees with most.'],
  ['nsa', 'NSA (native sparse attention)', 'Compressed keys choose blocks, beside a window.'],
] as const;

const of = (id: string, name: string, says: string, cells: readonly MethodCell[]): Method => ({
  id,
  name,
  part: 'presets of one cell',
  says,
  cells,
});

/** Every preset that no method above is named after, as a method: the cell with it, and its map. */
export const PRESET_METHODS: readonly Method[] = uniqueMethods([
  ...SELECTIONS.map(([type, name, says]) => of(type, name, says, selectionCells({ type }))),
  ...[...POLICIES.values()]
    .filter(({ oracle }) => oracle !== true)
    .filter(({ id }) => id !== 'full' && id !== 'random')
    .map(({ id, label, source, defaults }) =>
      of(id, label, `${source}. ${defaults}`, cacheCells(id)),
    ),
  ...RECURRENT_PRESETS.map(({ id, title, note }) => of(id, title, note, recurrentCells(id))),
  ...STORAGE_PRESETS.map(({ id, title, note, source }) =>
    of(id, title, `${note} ${source}`, storageCells(id)),
  ),
  ...COMPOSE_PRESETS.map(({ id, title, note }) => of(id, title, note, compositionCells(id))),
  ...FORMULA_PRESETS.map(({ id, title, note }) => of(id, title, note, presetCells(id))),
  ...STRATEGY_PRESETS.map(({ id, title, rule, source }) =>
    of(id, title, `${source}: ${rule}`, presetServed(id)),
  ),
]);

function uniqueMethods(presets: readonly Method[]): readonly Method[] {
  const taken = new Set(METHODS.map(({ id }) => id));
  return presets.filter(({ id }) => {
    const isNew = !taken.has(id);
    taken.add(id);
    return isNew;
  });
}
