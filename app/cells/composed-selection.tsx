'use client';

import { useState } from 'react';
import type { ComposedSelection } from '../../lib/spec/kinds/selection-parts';
import type { JsonSchema } from '../../lib/spec/ranges';
import { SchemaForm } from '../parts/schema-form';
import styles from './composed-selection.module.css';
import { OrderField } from './order-field';
import { partNotes, STARTS, type Start, startOf, startParts } from './selection-parts';
import { useParamsProblem } from './use-params-problem';

interface Props {
  readonly composed: ComposedSelection;
  readonly isCausal: boolean;
  readonly schema: JsonSchema;
  /** Of the selection in the params. */
  readonly path: readonly string[];
  /** Tries a value at a path of the params; gives the sentence why not, or undefined. */
  readonly onSet: (path: readonly string[], value: unknown) => string | undefined;
}

const BLOCKS = ['blockTokens', 'queryBlockTokens'];
const PARTS = ['summariser', 'scorer', 'reducer', 'selector', 'forced'] as const;

/** A selection of key blocks part by part, in the order in which they work. */
export function ComposedSelectionEditor({ composed, isCausal, schema, path, onSet }: Props) {
  const start = startOf(composed, isCausal);
  const [problem, setProblem] = useParamsProblem(composed);
  const [refusedBy, setRefusedBy] = useState<string>();
  const notes = partNotes(composed);
  const fields = (...names: readonly string[]): JsonSchema => ({
    properties: Object.fromEntries(
      names.map((name) => [name, schema.properties?.[name] ?? {}] as const),
    ),
  });
  const setFrom = (part: string) => (at: readonly string[], value: unknown) => {
    const sentence = onSet(at, value);
    // Fields keep what cannot be typed. A choice leaves nothing behind but its sentence, which goes
    // with the next change of any part.
    if (typeof value === 'number') return sentence;
    setRefusedBy(part);
    setProblem(sentence);
    return undefined;
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would indent the parts once more
    <div className={styles.composed} role="group" aria-label="composed selection">
      <label className={styles.start}>
        parts of{' '}
        <select
          value={start ?? ''}
          onChange={({ target }) => onSet(path, startParts(target.value as Start, isCausal))}
        >
          {start === undefined && <option value="">own</option>}
          {STARTS.filter((name) => startParts(name, isCausal) !== undefined).map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <ol className={styles.parts}>
        <li>
          <fieldset className={styles.blocks}>
            <legend>blocks</legend>
            <SchemaForm schema={fields(...BLOCKS)} value={composed} path={path} onSet={onSet} />
          </fieldset>
          <p className={styles.note}>{notes.blocks}</p>
        </li>
        <li>
          <OrderField composed={composed} schema={schema} path={path} onSet={setFrom('order')} />
          {problem !== undefined && refusedBy === 'order' && (
            <p className={styles.problem} role="alert">
              {problem}
            </p>
          )}
        </li>
        {PARTS.map((name) => (
          <li key={name}>
            <SchemaForm schema={fields(name)} value={composed} path={path} onSet={setFrom(name)} />
            <p className={styles.note} aria-live="polite">
              {notes[name]}
            </p>
            {problem !== undefined && refusedBy === name && (
              <p className={styles.problem} role="alert">
                {problem}
              </p>
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}
