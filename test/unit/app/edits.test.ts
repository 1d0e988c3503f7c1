import { describe, expect, it } from 'vitest';
import { chordOf, findCommand } from '../../../app/shortcuts';
import {
  addCell,
  deleteCell,
  duplicateCell,
  editParam,
  missingInput,
  moveCell,
  renameCell,
} from '../../../app/state/edits';
import { pushHistory, redo, startHistory, undo } from '../../../app/state/history';
import { type Notebook, notebookSchema } from '../../../lib/spec/notebook';

const notebook = notebookSchema.parse({
  cells: [
    { id: 'load', kind: 'workload' },
    { id: 'a', kind: 'serve', inputs: ['load'] },
    { id: 'b', kind: 'serve', inputs: ['load'] },
    { id: 'time', kind: 'timeline', inputs: ['a', 'b'] },
  ],
});
const ids = (n: Notebook) => n.cells.map((cell) => cell.id);
function made(result: ReturnType<typeof addCell>): Notebook {
  if (!result.ok) throw new Error(result.issues[0]?.message);
  return result.notebook;
}

describe('edits', () => {
  it('refuses a bad value whole, with its sentence', () => {
    expect(editParam(notebook, 'a', ['slo', 'ttftSeconds'], -1)).toMatchObject({
      ok: false,
      issues: [
        {
          message: 'invalid ttftSeconds: -1 (expected 0.001..3600: no token comes in no time)',
        },
      ],
    });
    const next = made(editParam(notebook, 'a', ['strategy'], { type: 'sarathi' }));
    expect(next.cells[1]).toMatchObject({
      params: { strategy: { type: 'sarathi', tokenBudget: 512 } },
    });
    expect(notebook.cells[1]).toMatchObject({ params: { strategy: { type: 'vllm' } } });
  });

  it('keeps references right when cells are renamed, moved, copied and deleted', () => {
    expect(made(renameCell(notebook, 'load', 'traffic')).cells[2]?.inputs).toEqual(['traffic']);
    expect(renameCell(notebook, 'load', 'a').ok).toBe(false);
    expect(ids(made(moveCell(notebook, 'b', -1)))).toEqual(['load', 'b', 'a', 'time']);
    expect(ids(made(moveCell(notebook, 'load', -1)))).toEqual(ids(notebook));
    expect(ids(made(duplicateCell(notebook, 'a')))).toEqual(['load', 'a', 'a-copy', 'b', 'time']);
    expect(made(deleteCell(notebook, 'a')).cells.at(-1)?.inputs).toEqual(['b']);
    // Without its workload nothing can serve, and without a run nothing can be shown.
    expect(ids(made(deleteCell(notebook, 'load')))).toEqual([]);
  });

  it('adds cells connected to what they can take, and says what is missing', () => {
    expect(made(addCell(notebook, 'table', 'load')).cells[1]).toMatchObject({
      kind: 'table',
      inputs: ['load', 'a', 'b'],
    });
    expect(missingInput(notebook, 'map')).toBe(
      'needs a cell of kind attention or compose or recurrent or decode or cache first',
    );
    expect(missingInput(notebook, 'serve')).toBeUndefined();
  });
});

describe('history', () => {
  it('goes back and forth and forgets the future on a new edit', () => {
    const [one, two, three] = ['1', '2', '3'].map((title) => ({ ...notebook, title })) as [
      Notebook,
      Notebook,
      Notebook,
    ];
    const history = pushHistory(pushHistory(startHistory(one), two), three);
    expect(undo(undo(undo(history))).present).toBe(one);
    expect(redo(undo(history)).present).toBe(three);
    expect(redo(pushHistory(undo(history), one)).present).toBe(one);
  });
});

describe('shortcuts', () => {
  const chord = (key: string, rest: object = {}) =>
    chordOf({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...rest });
  const command = (id: string, ...keys: string[]) => ({
    id,
    title: id,
    keys,
    run: () => undefined,
  });
  it('reads chords and leaves typing alone', () => {
    expect(chord('Enter', { ctrlKey: true })).toBe('Mod-Enter');
    expect(chord('C', { metaKey: true, shiftKey: true })).toBe('Mod-Shift-c');
    expect(chord('?', { shiftKey: true })).toBe('?');
    const commands = [command('next', 'j'), command('run', 'Mod-Enter')];
    expect(findCommand(commands, 'j', false)?.id).toBe('next');
    expect(findCommand(commands, 'j', true)).toBeUndefined();
    expect(findCommand(commands, 'Mod-Enter', true)?.id).toBe('run');
  });
});
