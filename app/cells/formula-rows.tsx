'use client';

import { useState } from 'react';
import type { FormulaNumber, FormulaTable } from '../../lib/spec/kinds/attention';
import { NumberField, TextField } from '../parts/fields';
import styles from './variant-editor.module.css';

const TABLE_SOURCES: Readonly<Record<FormulaTable['source'], string>> = {
  segments: 'segments (documents, frames, turns)',
  classes: 'classes (modalities, speakers)',
  'subtree-end': 'end of subtree (drafts)',
  normal: 'normal numbers (a learned bias)',
  values: 'values',
};

interface RowProps<T> {
  /** These give the sentence why not, or undefined. */
  readonly onSet: (next: T) => string | undefined;
  readonly onRename: (name: string) => string | undefined;
  readonly onRemove: () => string | undefined;
}

/** A named number: slider, exact value, bounds and name. */
export function NumberRow({
  number,
  onSet,
  onRename,
  onRemove,
}: RowProps<FormulaNumber> & { readonly number: FormulaNumber }) {
  const { name, value, min, max, step } = number;
  const [problem, setProblem] = useState<string>();
  const bound = (field: 'value' | 'min' | 'max' | 'step') => (
    <NumberField
      label={field}
      value={number[field]}
      minimum={undefined}
      maximum={undefined}
      step={field === 'step' ? 'any' : step}
      onSet={(next) => (next === undefined ? undefined : onSet({ ...number, [field]: next }))}
    />
  );
  return (
    <div className={styles.number}>
      <label>
        <code>{name}</code>
        <input
          type="range"
          min={min}
          max={max}
          step={step}
          value={value}
          onChange={(event) => setProblem(onSet({ ...number, value: event.target.valueAsNumber }))}
        />
        <output>{value}</output>
      </label>
      <details>
        <summary aria-label={`value, bounds and name of ${name}`}>value, bounds, name</summary>
        <TextField label="name" value={name} onSet={onRename} />
        {bound('value')} {bound('min')} {bound('max')} {bound('step')}{' '}
        <button type="button" onClick={() => setProblem(onRemove())}>
          Remove {name}
        </button>
      </details>
      {problem !== undefined && (
        <p className={styles.numberProblem} role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}

/** A named table: where its values come from, its sizes and its name. */
export function TableRow({
  table,
  onSet,
  onRename,
  onRemove,
}: RowProps<FormulaTable> & { readonly table: FormulaTable }) {
  const [problem, setProblem] = useState<string>();
  const numeric = Object.entries(table).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number',
  );
  return (
    <div className={styles.number}>
      <label>
        <code>{table.name}()</code>{' '}
        <select
          value={table.source}
          onChange={(event) =>
            onSet(defaultTable(table.name, event.target.value as FormulaTable['source']))
          }
        >
          {Object.entries(TABLE_SOURCES).map(([source, text]) => (
            <option key={source} value={source}>
              {text}
            </option>
          ))}
        </select>
      </label>
      <details>
        <summary aria-label={`sizes and name of ${table.name}`}>sizes, name</summary>
        <TextField label="name" value={table.name} onSet={onRename} />
        {numeric.map(([field, value]) => (
          <NumberField
            key={field}
            label={TABLE_FIELDS[field] ?? field}
            value={value}
            minimum={undefined}
            maximum={undefined}
            step={1}
            onSet={(next) => onSet({ ...table, [field]: next } as FormulaTable)}
          />
        ))}
        {table.source === 'values' && (
          <TextField
            label="values, with commas"
            value={table.values.join(', ')}
            onSet={(text) => {
              const values = text
                .split(',')
                .map((each) => (each.trim() === '' ? NaN : Number(each)));
              const wrong = values.findIndex(Number.isNaN);
              return wrong < 0
                ? onSet({ ...table, values })
                : `invalid number: "${text.split(',')[wrong]?.trim()}", value ${wrong + 1}`;
            }}
          />
        )}
        <button type="button" onClick={() => setProblem(onRemove())}>
          Remove {table.name}
        </button>
      </details>
      {problem !== undefined && (
        <p className={styles.numberProblem} role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}

const TABLE_FIELDS: Readonly<Record<string, string>> = {
  meanTokens: 'mean length, tokens',
  meanChildren: 'mean children',
  deviation: 'standard deviation',
};

function defaultTable(name: string, source: FormulaTable['source']): FormulaTable {
  switch (source) {
    case 'segments':
      return { name, source, meanTokens: 128 };
    case 'classes':
      return { name, source, classes: 2, meanTokens: 64 };
    case 'subtree-end':
      return { name, source, meanChildren: 2 };
    case 'normal':
      return { name, source, perHead: true, entries: 32, deviation: 1 };
    case 'values':
      return { name, source, perHead: false, values: [0, 1] };
  }
}
