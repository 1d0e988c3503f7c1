'use client';

import { useMemo } from 'react';
import { formulaOf } from '../../lib/attention/formula-of';
import { FORMULA_PRESETS, presetVariant } from '../../lib/attention/presets';
import { formulaHazards, makeProgram } from '../../lib/attention/program';
import { printFormula } from '../../lib/formula/print-text';
import { fromTokens } from '../../lib/formula/tokens';
import type { FormulaNode } from '../../lib/formula/tree';
import {
  type AttentionParams,
  type AttentionVariant,
  type FormulaNumber,
  type FormulaTable,
  type FormulaVariant,
  formulaScope,
} from '../../lib/spec/kinds/attention';
import { FormulaField } from './formula-field';
import { MaskPreviewView } from './mask-preview';
import { SelectionEditor } from './selection-editor';
import styles from './variant-editor.module.css';

interface Props {
  readonly cellId: string;
  readonly params: AttentionParams;
  readonly onVariant: (variant: unknown) => string | undefined;
  /** Tries a value at a path of the params; without it keys cannot be selected. */
  readonly onParam?: (path: readonly string[], value: unknown) => string | undefined;
}

const READY: readonly AttentionVariant['type'][] = [
  'dense',
  'causal',
  'sliding-window',
  'window-sinks',
  'documents',
];
const GROUPS = [...new Set(FORMULA_PRESETS.map(({ group }) => group))];
const TABLE_SOURCES: Readonly<Record<FormulaTable['source'], string>> = {
  segments: 'segments (documents, frames, turns)',
  classes: 'classes (modalities, speakers)',
  'subtree-end': 'end of subtree (drafts)',
  normal: 'normal numbers (a learned bias)',
  values: 'values',
};

/** A preset's formulas with other numbers are still the preset. */
const structureOf = ({ mask, score, tables }: FormulaVariant) =>
  JSON.stringify([mask, score, tables.map(({ name, source }) => [name, source])]);

/** Choose a variant, or write one: mask, score, named numbers and tables, with the mask in view. */
export function VariantEditor({ cellId, params, onVariant, onParam }: Props) {
  const { variant } = params;
  const formula = formulaOf(variant);
  const isFormula = variant.type === 'formula';
  const presets = useMemo(
    () => new Map(FORMULA_PRESETS.map((each) => [structureOf(presetVariant(each)), each])),
    [],
  );
  const preset = isFormula ? presets.get(structureOf(formula)) : undefined;
  const value = isFormula ? (preset === undefined ? 'own' : `preset ${preset.id}`) : variant.type;
  const choose = (next: string) => {
    const chosen = FORMULA_PRESETS.find(({ id }) => `preset ${id}` === next);
    if (chosen !== undefined) onVariant(presetVariant(chosen));
    else onVariant(next === 'own' ? formula : { type: next });
  };
  const key = JSON.stringify([variant, params.shape, params.seed]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` is the content of the params that are read
  const hazardsOf = useMemo(() => {
    const program = makeProgram(params);
    return (part: 'mask' | 'score') => (node: FormulaNode) =>
      formulaHazards(part, node, program, params.shape);
  }, [key]);
  return (
    <section className={styles.editor} aria-label="variant">
      <div className={styles.text}>
        <label className={styles.choice}>
          variant{' '}
          <select value={value} onChange={(event) => choose(event.target.value)}>
            <optgroup label="ready-made">
              {READY.map((type) => (
                <option key={type}>{type}</option>
              ))}
            </optgroup>
            {GROUPS.map((group) => (
              <optgroup key={group} label={group}>
                {FORMULA_PRESETS.filter((each) => each.group === group).map(({ id, title }) => (
                  <option key={id} value={`preset ${id}`}>
                    {title}
                  </option>
                ))}
              </optgroup>
            ))}
            <option value="own">own formula</option>
          </select>
        </label>
        {preset !== undefined && <p className={styles.note}>{preset.note}</p>}
        {isFormula ? (
          <FormulaParts formula={formula} hazardsOf={hazardsOf} onVariant={onVariant} />
        ) : (
          <p className={styles.note}>
            <code>{maskText(formula)}</code>{' '}
            <button type="button" onClick={() => onVariant(formula)}>
              Edit as formula
            </button>
          </p>
        )}
        {onParam !== undefined && <SelectionEditor params={params} onSet={onParam} />}
      </div>
      <MaskPreviewView cellId={cellId} params={params} contentKey={key} />
    </section>
  );
}

function maskText(formula: FormulaVariant): string {
  const built = fromTokens(formula.mask, formulaScope(formula, 'mask'), 'bool');
  return built.ok ? printFormula(built.node) : 'every key';
}

interface PartsProps {
  readonly formula: FormulaVariant;
  readonly hazardsOf: (
    part: 'mask' | 'score',
  ) => (node: FormulaNode) => ReturnType<typeof formulaHazards>;
  readonly onVariant: (variant: unknown) => string | undefined;
}

function FormulaParts({ formula, hazardsOf, onVariant }: PartsProps) {
  const { numbers, tables } = formula;
  // biome-ignore lint/correctness/useExhaustiveDependencies: only names and types of numbers and tables make the scope
  const [maskScope, scoreScope] = useMemo(
    () => [formulaScope(formula, 'mask'), formulaScope(formula, 'score')],
    [JSON.stringify([numbers, tables])],
  );
  const set = (change: Partial<FormulaVariant>) => onVariant({ ...formula, ...change });
  const freeName = (base: string) => {
    const taken = new Set([...numbers, ...tables].map(({ name }) => name));
    for (let i = 1; ; i++) {
      const name = i === 1 ? base : `${base}${i}`;
      if (!taken.has(name)) return name;
    }
  };
  return (
    <>
      <FormulaField
        label="mask"
        emptyText="every key is seen"
        tokens={formula.mask}
        scope={maskScope}
        type="bool"
        onSet={(mask) => set({ mask: [...mask] })}
        hazardsOf={hazardsOf('mask')}
      />
      <FormulaField
        label="score"
        emptyText="score, unchanged"
        tokens={formula.score}
        scope={scoreScope}
        type="float"
        onSet={(score) => set({ score: [...score] })}
        hazardsOf={hazardsOf('score')}
      />
      {numbers.map((number, i) => (
        <NumberRow
          key={number.name}
          number={number}
          onSet={(next) => set({ numbers: numbers.map((each, j) => (j === i ? next : each)) })}
          onRemove={() => set({ numbers: numbers.filter((_, j) => j !== i) })}
        />
      ))}
      {tables.map((table, i) => (
        <TableRow
          key={table.name}
          table={table}
          onSet={(next) => set({ tables: tables.map((each, j) => (j === i ? next : each)) })}
          onRemove={() => set({ tables: tables.filter((_, j) => j !== i) })}
        />
      ))}
      <p className={styles.add}>
        <button
          type="button"
          disabled={numbers.length >= 8}
          onClick={() =>
            set({
              numbers: [
                ...numbers,
                { name: freeName('number'), value: 64, min: 0, max: 1024, step: 1 },
              ],
            })
          }
        >
          Add a number
        </button>{' '}
        <button
          type="button"
          disabled={tables.length >= 4}
          onClick={() =>
            set({
              tables: [
                ...tables,
                { name: freeName('segment'), source: 'segments', meanTokens: 128 },
              ],
            })
          }
        >
          Add a table
        </button>
        <span className={styles.note}>
          {' '}
          names: b, h, q, k, queries, keys, heads; in a score also score. q is a position among the
          keys.
        </span>
      </p>
    </>
  );
}

interface RowProps<T> {
  readonly onSet: (next: T) => string | undefined;
  readonly onRemove: () => string | undefined;
}

function NumberRow({
  number,
  onSet,
  onRemove,
}: RowProps<FormulaNumber> & { number: FormulaNumber }) {
  const { name, value, min, max, step } = number;
  const bound = (field: 'min' | 'max' | 'step') => (
    <label>
      {field}{' '}
      <input
        type="number"
        value={number[field]}
        onChange={(event) => {
          const next = event.target.valueAsNumber;
          if (!Number.isNaN(next)) onSet({ ...number, [field]: next });
        }}
      />
    </label>
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
          onChange={(event) => onSet({ ...number, value: event.target.valueAsNumber })}
        />
        <output>{value}</output>
      </label>
      <details>
        <summary aria-label={`bounds of ${name}`}>bounds</summary>
        {bound('min')} {bound('max')} {bound('step')}{' '}
        <button type="button" onClick={onRemove}>
          Remove {name}
        </button>
      </details>
    </div>
  );
}

function TableRow({ table, onSet, onRemove }: RowProps<FormulaTable> & { table: FormulaTable }) {
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
      {numeric.map(([field, value]) => (
        <label key={field}>
          {field}{' '}
          <input
            type="number"
            value={value}
            onChange={(event) => {
              const next = event.target.valueAsNumber;
              if (!Number.isNaN(next)) onSet({ ...table, [field]: next } as FormulaTable);
            }}
          />
        </label>
      ))}
      <button type="button" onClick={onRemove}>
        Remove {table.name}
      </button>
    </div>
  );
}

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
