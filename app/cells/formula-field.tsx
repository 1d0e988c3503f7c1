'use client';

import { type ClipboardEvent, type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { SUGAR_NAMES } from '../../lib/formula/make-operation';
import { parseFormula, placeFormula, type Span } from '../../lib/formula/parse';
import { pointedLines } from '../../lib/formula/pointed-lines';
import { printFormula } from '../../lib/formula/print-text';
import { plainText } from '../../lib/formula/text-problems';
import { type FormulaTokens, fromTokens, toTokens } from '../../lib/formula/tokens';
import { type FormulaNode, FUNCTION_NAMES, type Scope } from '../../lib/formula/tree';
import styles from './variant-editor.module.css';

interface Props {
  readonly label: string;
  /** What an empty field means. */
  readonly emptyText: string;
  readonly tokens: FormulaTokens;
  readonly scope: Scope;
  readonly type: 'bool' | 'float';
  /** Takes a formula; gives the sentence why not, or undefined. */
  readonly onSet: (tokens: FormulaTokens) => string | undefined;
  /** What may go wrong in the formula, by the part that is to blame; it is taken all the same. */
  readonly hazardsOf?: (
    node: FormulaNode,
  ) => readonly { readonly message: string; readonly node: FormulaNode }[];
}

const textOf = (tokens: FormulaTokens, scope: Scope, type: 'bool' | 'float'): string => {
  if (tokens.length === 0) return '';
  const built = fromTokens(tokens, scope, type);
  return built.ok ? printFormula(built.node) : '';
};

/** Longer than a field shows: repeated under it, wrapped. */
const LONG = 64;

interface Problem {
  readonly message: string;
  readonly column: number;
}

/** A formula as text, with its first mistake under its column and names completed as they are typed. */
export function FormulaField({ label, emptyText, tokens, scope, type, onSet, hazardsOf }: Props) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(() => textOf(tokens, scope, type));
  const [problem, setProblem] = useState<Problem>();
  const [offered, setOffered] = useState<readonly string[]>([]);
  const [chosen, setChosen] = useState(0);
  const stored = useRef(JSON.stringify(tokens));
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.children[chosen]?.scrollIntoView({ block: 'nearest' });
  }, [chosen]);

  // A preset, an undo or another page's link: the text follows the document, not the other way round.
  useEffect(() => {
    const now = JSON.stringify(tokens);
    if (now === stored.current) return;
    stored.current = now;
    setText(textOf(tokens, scope, type));
    setProblem(undefined);
  }, [tokens, scope, type]);

  const change = (next: string) => {
    setText(next);
    const parsed = next.trim() === '' ? undefined : parseFormula(next, scope, type);
    if (parsed !== undefined && !parsed.ok) {
      setProblem(parsed);
      return;
    }
    const made = parsed === undefined ? [] : toTokens(parsed.node);
    stored.current = JSON.stringify(made);
    const refused = onSet(made);
    setProblem(refused === undefined ? undefined : { message: refused, column: 0 });
  };
  const wordAt = (value: string, caret: number) =>
    /[A-Za-z_]\w*$/.exec(value.slice(0, caret))?.[0] ?? '';
  /** Names that go on as the word does, or every name where they were asked for. */
  const offer = (value: string, caret: number, isAsked = false) => {
    const word = wordAt(value, caret);
    const names = [
      ...Object.keys(scope.numbers),
      ...Object.keys(scope.tables).map((name) => `${name}(`),
      ...Object.keys(scope.variables),
      ...[...FUNCTION_NAMES, ...SUGAR_NAMES].map((name) => `${name}(`),
    ];
    setChosen(0);
    setOffered(
      word === '' && !isAsked
        ? []
        : names
            .filter((name) => name.startsWith(word) && name !== word)
            .slice(0, isAsked ? names.length : 6),
    );
  };
  const accept = (name: string) => {
    const element = input.current;
    if (element === null) return;
    const caret = element.selectionStart ?? text.length;
    const start = caret - wordAt(text, caret).length;
    element.focus();
    element.setSelectionRange(start, caret);
    insert(element, name);
    setOffered([]);
  };
  /** As if it were typed, so that the browser's undo takes it back. */
  const insert = (element: HTMLInputElement, added: string) => {
    if (document.execCommand('insertText', false, added)) return;
    const { selectionStart, selectionEnd, value } = element;
    change(value.slice(0, selectionStart ?? 0) + added + value.slice(selectionEnd ?? value.length));
  };
  /** Lines become one: a field would join their words, and a comment would go on to the end. */
  const onPaste = (event: ClipboardEvent<HTMLInputElement>) => {
    const pasted = event.clipboardData.getData('text/plain');
    if (!/[\n\r]/.test(pasted)) return;
    event.preventDefault();
    insert(event.currentTarget, plainText(pasted).replace(/ +/g, ' ').trim());
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (offered.length === 0) {
      const asks = event.ctrlKey ? event.key === ' ' : event.altKey && event.key === 'ArrowDown';
      if (!asks) return;
      event.preventDefault();
      offer(text, event.currentTarget.selectionStart ?? text.length, true);
      return;
    }
    const acts: Readonly<Record<string, () => void>> = {
      ArrowDown: () => setChosen((chosen + 1) % offered.length),
      ArrowUp: () => setChosen((chosen + offered.length - 1) % offered.length),
      Tab: () => accept(offered[chosen] as string),
      Enter: () => accept(offered[chosen] as string),
      Escape: () => setOffered([]),
    };
    const act = event.shiftKey || event.ctrlKey || event.metaKey ? undefined : acts[event.key];
    if (act === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };
  const placing =
    problem !== undefined || text.trim() === '' ? undefined : placeFormula(text, scope, type);
  const printed = placing?.ok ? printFormula(placing.node) : text;
  const isOtherwise = printed.replace(/\s/g, '') !== text.replace(/\s/g, '');
  const hazards = (placing?.ok ? hazardsOf?.(placing.node) : undefined) ?? [];
  const spanOf = (node: FormulaNode) => (placing?.ok ? placing.spans.get(node) : undefined);
  return (
    <div className={styles.formula}>
      <label htmlFor={id}>{label}</label>
      <input
        ref={input}
        id={id}
        type="text"
        role="combobox"
        spellCheck={false}
        autoComplete="off"
        autoCapitalize="off"
        placeholder={emptyText}
        title="control and space, or alt and arrow down, list the names"
        value={text}
        aria-autocomplete="list"
        aria-expanded={offered.length > 0}
        aria-controls={`${id}-names`}
        aria-activedescendant={offered.length > 0 ? `${id}-name-${chosen}` : undefined}
        aria-invalid={problem !== undefined}
        aria-describedby={problem === undefined ? undefined : `${id}-problem`}
        onChange={(event) => {
          change(event.target.value);
          offer(event.target.value, event.target.selectionStart ?? event.target.value.length);
        }}
        onKeyDown={onKeyDown}
        onPaste={onPaste}
        onBlur={() => setOffered([])}
      />
      <div
        ref={list}
        className={styles.names}
        id={`${id}-names`}
        role="listbox"
        aria-label={`names for ${label}`}
        hidden={offered.length === 0}
      >
        {offered.map((name, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the input holds the keyboard; this is its list
          // biome-ignore lint/a11y/useFocusableInteractive: the active option is named by aria-activedescendant
          <div
            key={name}
            id={`${id}-name-${i}`}
            role="option"
            aria-selected={i === chosen}
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => accept(name)}
          >
            {name}
          </div>
        ))}
      </div>
      {problem === undefined && (isOtherwise || text.length > LONG) && (
        <code className={styles.long}>{printed}</code>
      )}
      {problem !== undefined && (
        <div id={`${id}-problem`} className={styles.problem} role="alert">
          <Pointed text={text} span={{ start: problem.column, end: problem.column + 1 }} />
          {problem.message} at column {problem.column + 1}
        </div>
      )}
      <div className={styles.hazards} role="status">
        {hazards.map(({ message, node }) => {
          const span = spanOf(node) ?? { start: 0, end: text.length };
          return (
            <div key={`${span.start} ${message}`} className={styles.hazard}>
              <Pointed text={text} span={span} />
              {message} at column {span.start + 1}: <code>{text.slice(span.start, span.end)}</code>,
              harmless where it is masked
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** The text with marks under a part of it; as much of a long text as fits. */
function Pointed({ text, span }: { readonly text: string; readonly span: Span }) {
  return <pre aria-hidden="true">{pointedLines(text, span.start, span.end).join('\n')}</pre>;
}
