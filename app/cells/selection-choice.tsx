'use client';

import { useRef, useState } from 'react';
import type { ChoiceSelection } from '../../lib/spec/kinds/selection';
import type { JsonSchema } from '../../lib/spec/ranges';
import { SchemaForm } from '../parts/schema-form';
import styles from './selection-choice.module.css';
import { SelectionMethodEditor } from './selection-method';
import { alternativeName, CRITERION_NOTES } from './selection-notes';
import { useParamsProblem } from './use-params-problem';

interface Props {
  readonly choice: ChoiceSelection;
  readonly schema: JsonSchema;
  /** Of the selection in the params. */
  readonly path: readonly string[];
  readonly isCausal: boolean;
  readonly onSet: (path: readonly string[], value: unknown) => string | undefined;
}

/** What a head chooses by, and what among. */
export function SelectionChoiceEditor({ choice, schema, path, isCausal, onSet }: Props) {
  const { criterion, alternatives } = choice;
  const [problem, setProblem] = useParamsProblem(choice);
  // A refusal stands where the change was tried.
  const [refusedAt, setRefusedAt] = useState<'criterion' | 'list'>('list');
  const list = useRef<HTMLOListElement>(null);
  const { minItems = 0, maxItems = Infinity, items } = schema.properties?.alternatives ?? {};
  const setList = (next: readonly unknown[]) => {
    setRefusedAt('list');
    const sentence = onSet([...path, 'alternatives'], next);
    setProblem(sentence);
    return sentence === undefined;
  };
  const setCriterion = (at: readonly string[], value: unknown) => {
    const sentence = onSet(at, value);
    if (typeof value === 'number') return sentence;
    setRefusedAt('criterion');
    setProblem(sentence);
    return undefined;
  };
  // The focus goes where the change was made: nothing is left of a button that removed itself.
  const focusOn = (index: number) =>
    requestAnimationFrame(() =>
      list.current?.children[index]?.querySelector<HTMLElement>('select')?.focus(),
    );
  const refusal = (at: typeof refusedAt) =>
    problem !== undefined &&
    refusedAt === at && (
      <p className={styles.problem} role="alert">
        {problem}
      </p>
    );
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would indent the alternatives once more
    <div className={styles.choice} role="group" aria-label="choice per head">
      <div className={styles.criterion}>
        <SchemaForm
          schema={{ properties: { criterion: schema.properties?.criterion ?? {} } }}
          value={choice}
          path={path}
          onSet={setCriterion}
        />
        <p className={styles.note} aria-live="polite">
          {CRITERION_NOTES[criterion.type]}
        </p>
        {refusal('criterion')}
      </div>
      <ol className={styles.alternatives} ref={list}>
        {alternatives.map((alternative, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: alternatives have no identity but their place
          <li key={i}>
            {/* biome-ignore lint/a11y/useSemanticElements: the list item is its frame */}
            <div
              className={styles.alternative}
              role="group"
              aria-label={`alternative ${i + 1}: ${alternativeName(alternative)}`}
            >
              <SelectionMethodEditor
                label={`alternative ${i + 1}`}
                select={alternative}
                schema={items ?? {}}
                path={[...path, 'alternatives', String(i)]}
                isCausal={isCausal}
                onSet={onSet}
              />
              <button
                type="button"
                className={styles.remove}
                disabled={alternatives.length <= minItems}
                aria-label={`remove alternative ${i + 1}`}
                onClick={() => {
                  if (setList(alternatives.filter((_, j) => j !== i))) focusOn(Math.max(0, i - 1));
                }}
              >
                Remove
              </button>
            </div>
          </li>
        ))}
      </ol>
      <p className={styles.add}>
        <button
          type="button"
          disabled={alternatives.length >= maxItems}
          onClick={() => {
            if (setList([...alternatives, alternatives.at(-1)])) focusOn(alternatives.length);
          }}
        >
          Add an alternative
        </button>{' '}
        <span className={styles.note}>
          {alternatives.length >= maxItems
            ? `at most ${maxItems}`
            : 'a copy of the last one, to change'}
        </span>
      </p>
      {refusal('list')}
    </div>
  );
}
