'use client';

import {
  type DragEvent,
  lazy,
  Suspense,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { CHEAP_SECONDS } from '../lib/run/estimate';
import { isJobKind } from '../lib/run/job-kinds';
import type { Session } from '../lib/run/session-types';
import { parseFileBytes } from '../lib/spec/file-text';
import type { FileIssue } from '../lib/spec/markdown';
import { CELL_KINDS, type Cell, type Notebook } from '../lib/spec/notebook';
import { formatSeconds } from '../lib/views/format';
import { CellView } from './cells/cell-view';
import { HelpDialog } from './parts/help-dialog';
import { Palette } from './parts/palette';
import { ShareDialog } from './parts/share-dialog';
import { SiteLinks } from './parts/site-links';
import { currentTheme, nextTheme } from './parts/theme';
import { type Command, chordOf, findCommand, isTyping } from './shortcuts';
import { fileNameOf, fileTextOf, missingInput } from './state/edits';
import { createPointedElements, PointedContext } from './state/pointed-element';
import { saveText } from './state/save';
import { useNotebookEdits } from './state/use-notebook';
import { useSession } from './use-session';
import styles from './workbench.module.css';

/** Loaded when it is opened: the first page does not need every method. */
const MethodsDialog = lazy(() => import('./parts/methods-dialog'));

interface Props {
  readonly session: Session;
  /** A line above the notebook: where it came from and what has run. */
  readonly banner?: string;
  /** Which of the bundled notebooks this is. */
  readonly slug?: string;
}

/** Runs of adjacent serve cells stand side by side; every other cell is a row of its own. */
function rowsOf(cells: readonly Cell[]): readonly (readonly Cell[])[] {
  const rows: Cell[][] = [];
  for (const cell of cells) {
    const row = rows.at(-1);
    if (cell.kind === 'serve' && row?.[0]?.kind === 'serve' && row.length < 3) row.push(cell);
    else rows.push([cell]);
  }
  return rows;
}

export function Workbench({ session, banner, slug }: Props) {
  const { notebook, edit, dropRestored } = useNotebookEdits(session);
  const statuses = useSession(session);
  const [open, setOpen] = useState<'share' | 'palette' | 'help' | 'methods'>();
  const [issues, setIssues] = useState<readonly FileIssue[]>([]);
  const [pointed] = useState(createPointedElements);
  const [announcement, setAnnouncement] = useState('');
  const [theme, setTheme] = useState(currentTheme);
  const picker = useRef<HTMLInputElement>(null);
  const main = useRef<HTMLElement>(null);

  const openFile = useCallback(
    async (file: File | undefined) => {
      if (file === undefined) return;
      if (/\.safetensors$/i.test(file.name)) {
        const message = `${file.name} holds tensors and is no notebook: drop it on an attention cell`;
        setIssues([{ line: 1, message }]);
        return;
      }
      if (file.size > 2 ** 20) {
        setIssues([
          { line: 1, message: `${file.name} has ${file.size} bytes, above the limit of 1 MiB` },
        ]);
        return;
      }
      const parsed = parseFileBytes(file.name, new Uint8Array(await file.arrayBuffer()));
      setIssues(parsed.ok ? [] : parsed.issues);
      if (parsed.ok) edit.replace(parsed.notebook);
    },
    [edit],
  );

  const focused = useCallback(
    () => document.activeElement?.closest<HTMLElement>('[data-cell]')?.dataset.cell,
    [],
  );
  const step = useCallback((by: 1 | -1) => {
    const cells = [...(main.current?.querySelectorAll<HTMLElement>('[data-cell]') ?? [])];
    const at = cells.findIndex((cell) => cell.contains(document.activeElement));
    const next = cells[Math.max(0, Math.min(cells.length - 1, at + by))];
    next?.focus();
    next?.scrollIntoView({ block: 'nearest' });
  }, []);
  const withCell = useCallback(
    (act: (id: string) => void) => () => {
      const id = focused();
      if (id !== undefined) act(id);
    },
    [focused],
  );

  const commands = useMemo(
    (): readonly Command[] => [
      {
        id: 'run',
        title: 'Run the focused cell',
        keys: ['Mod-Enter'],
        run: withCell((id) => session.run(id)),
      },
      {
        id: 'run-next',
        title: 'Run the focused cell and go on',
        keys: ['Shift-Enter'],
        run: withCell((id) => {
          session.run(id);
          step(1);
        }),
      },
      { id: 'run-all', title: 'Run all', keys: ['Mod-Shift-Enter'], run: () => session.runAll() },
      { id: 'stop', title: 'Stop everything', keys: ['Mod-i'], run: () => session.cancelAll() },
      { id: 'next', title: 'Next cell', keys: ['j'], run: () => step(1) },
      { id: 'previous', title: 'Previous cell', keys: ['k'], run: () => step(-1) },
      { id: 'share', title: 'Share', keys: ['Mod-Shift-c'], run: () => setOpen('share') },
      { id: 'open', title: 'Open a file', keys: ['Mod-o'], run: () => picker.current?.click() },
      {
        id: 'save',
        title: 'Download the notebook',
        keys: ['Mod-s'],
        run: () =>
          saveText(fileTextOf(session.notebook), fileNameOf(session.notebook), 'text/markdown'),
      },
      { id: 'undo', title: 'Undo', keys: ['Mod-z'], run: edit.undo },
      { id: 'redo', title: 'Redo', keys: ['Mod-Shift-z'], run: edit.redo },
      { id: 'palette', title: 'Commands', keys: ['Mod-k'], run: () => setOpen('palette') },
      {
        id: 'methods',
        title: 'Add a published method',
        keys: ['m'],
        run: () => setOpen('methods'),
      },
      { id: 'help', title: 'Keyboard help', keys: ['?'], run: () => setOpen('help') },
      {
        id: 'theme',
        title: 'Theme: system, light, dark',
        keys: [],
        run: () => {
          const next = nextTheme();
          setTheme(next);
          setAnnouncement(`Theme: ${next}`);
        },
      },
      {
        id: 'reset',
        title: 'Go back to the notebook as it was opened',
        keys: [],
        run: () => {
          edit.reset();
          setAnnouncement('the notebook is as it was opened; undo brings your edits back');
        },
      },
      ...CELL_KINDS.map((kind) => ({
        id: `add-${kind}`,
        title: `Add a ${kind} cell`,
        keys: [],
        run: () => {
          const problem = missingInput(session.notebook, kind) ?? edit.add(kind, focused());
          setAnnouncement(problem ?? `${kind} cell added`);
        },
      })),
    ],
    [session, edit, focused, step, withCell],
  );

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (document.querySelector('dialog[open]') !== null || event.defaultPrevented) return;
      const command = findCommand(commands, chordOf(event), isTyping(event.target));
      if (command === undefined) return;
      // The browser's own undo belongs to the text being typed.
      if (isTyping(event.target) && (command.id === 'undo' || command.id === 'redo')) return;
      event.preventDefault();
      command.run();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [commands]);

  const states = notebook.cells
    .flatMap((cell) => {
      const state = statuses.get(cell.id)?.state;
      return isJobKind(cell.kind) && state !== undefined && state !== 'idle'
        ? [`${cell.id} ${state}`]
        : [];
    })
    .join(', ');
  // Only when a state changes: one more update on every report of progress never lets the page rest,
  // and React takes fifty such in a row for a loop.
  useEffect(() => setAnnouncement(states), [states]);

  const act = (id: string) => () => commands.find((command) => command.id === id)?.run();
  const pending = notebook.cells.filter(
    (cell) => isJobKind(cell.kind) && statuses.get(cell.id)?.state !== 'done',
  );
  const seconds = pending.reduce(
    (sum, cell) => sum + (statuses.get(cell.id)?.estimateSeconds ?? 0),
    0,
  );
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a drop target for files; the Open button is its keyboard form
    <div
      className={styles.page}
      onDragOver={(event: DragEvent) => event.preventDefault()}
      onDrop={(event: DragEvent) => {
        event.preventDefault();
        void openFile(event.dataTransfer.files[0]);
      }}
    >
      <header className={styles.bar}>
        <a className={styles.brand} href={`${process.env.HEADROOM_BASE_PATH ?? ''}/`}>
          Headroom
        </a>
        <SiteLinks current={slug} />
        <span className={styles.spring} />
        <button type="button" data-primary="" onClick={act('run-all')}>
          Run all{seconds >= CHEAP_SECONDS ? ` (about ${formatSeconds(seconds)})` : ''}
        </button>
        <button type="button" onClick={act('stop')}>
          Stop
        </button>
        <button type="button" onClick={act('share')}>
          Share
        </button>
        <button type="button" onClick={act('open')}>
          Open
        </button>
        <button type="button" onClick={act('save')}>
          Download
        </button>
        <button type="button" onClick={act('theme')}>
          Theme: {theme}
        </button>
        <button type="button" onClick={act('palette')} aria-keyshortcuts="Control+K">
          Commands
        </button>
        <button type="button" onClick={act('help')} aria-label="Keyboard help">
          ?
        </button>
        <input
          ref={picker}
          type="file"
          hidden
          accept=".md,.json,text/markdown,application/json"
          onChange={(event) => void openFile(event.target.files?.[0])}
        />
      </header>
      <p className="visually-hidden" role="status">
        {announcement}
      </p>
      <main id="notebook" ref={main} className={styles.notebook}>
        {banner !== undefined && <p className={styles.banner}>{banner}</p>}
        {dropRestored !== undefined && (
          <p className={styles.banner} role="status">
            Your edits of this page are back.{' '}
            <button type="button" onClick={dropRestored}>
              Drop them
            </button>
          </p>
        )}
        {issues.length > 0 && (
          <section className={styles.issues} role="alert">
            <h2>This file was not opened</h2>
            <ul>
              {issues.map(({ line, message }) => (
                <li key={`${line} ${message}`}>
                  line {line}: {message}
                </li>
              ))}
            </ul>
          </section>
        )}
        <h1>
          <input
            className={styles.title}
            aria-label="Notebook title"
            value={notebook.title}
            onChange={(event) => edit.title(event.target.value)}
          />
        </h1>
        <PointedContext value={pointed}>
          {rowsOf(notebook.cells).map((row) => (
            <div key={row[0]?.id} className={styles.row} data-cells={row.length}>
              {row.map((cell) => (
                <CellView
                  key={cell.id}
                  cell={cell}
                  notebook={notebook}
                  session={session}
                  edit={edit}
                />
              ))}
            </div>
          ))}
        </PointedContext>
        <AddCell
          notebook={notebook}
          onAdd={(kind) => act(`add-${kind}`)()}
          onMethods={act('methods')}
        />
      </main>
      {open === 'share' && <ShareDialog notebook={notebook} onClose={() => setOpen(undefined)} />}
      {open === 'palette' && <Palette commands={commands} onClose={() => setOpen(undefined)} />}
      {open === 'methods' && (
        <Suspense>
          <MethodsDialog
            notebook={notebook}
            onClose={() => setOpen(undefined)}
            onAdd={(cells) => {
              const problem = edit.append(cells);
              setAnnouncement(problem ?? 'method added at the end');
              const first = cells[0]?.id;
              // The cells are there after the next paint.
              requestAnimationFrame(() =>
                requestAnimationFrame(() => {
                  const cell = main.current?.querySelector<HTMLElement>(`[data-cell="${first}"]`);
                  cell?.focus();
                  cell?.scrollIntoView({ block: 'start' });
                }),
              );
            }}
          />
        </Suspense>
      )}
      {open === 'help' && <HelpDialog commands={commands} onClose={() => setOpen(undefined)} />}
    </div>
  );
}

function AddCell({
  notebook,
  onAdd,
  onMethods,
}: {
  readonly notebook: Notebook;
  readonly onAdd: (kind: string) => void;
  readonly onMethods: () => void;
}) {
  return (
    <fieldset className={styles.add}>
      <legend>Add a cell</legend>
      {CELL_KINDS.map((kind) => {
        const missing = missingInput(notebook, kind);
        return (
          <button
            key={kind}
            type="button"
            disabled={missing !== undefined}
            title={missing}
            onClick={() => onAdd(kind)}
          >
            {kind}
          </button>
        );
      })}
      <button type="button" aria-haspopup="dialog" onClick={onMethods}>
        published method…
      </button>
    </fieldset>
  );
}
