'use client';

import { useMemo } from 'react';
import type { formulaHazards } from '../../lib/attention/program';
import type { FormulaNode } from '../../lib/formula/tree';
import { type FormulaVariant, formulaScope } from '../../lib/spec/kinds/attention';
import { FormulaField } from './formula-field';
import { NumberRow, TableRow } from './formula-rows';
import styles from './variant-editor.module.css';

interface PartsProps {
  readonly formula: FormulaVariant;
  readonly hazardsOf: (
    part: 'mask' | 'score',
  ) => (node: FormulaNode) => ReturnType<typeof formulaHazards>;
  readonly onVariant: (variant: unknown) => string | undefined;
}

/** Mask, score, named numbers and tables of a formula. */
export function FormulaParts({ formula, hazardsOf, onVariant }: PartsProps) {
  const { numbers, tables } = formula;
  // biome-ignore lint/correctness/useExhaustiveDependencies: only names and types of numbers and tables make the scope
  const [maskScope, scoreScope] = useMemo(
    () => [formulaScope(formula, 'mask'), formulaScope(formula, 'score')],
    [JSON.stringify([numbers, tables])],
  );
  const set = (change: Partial<FormulaVariant>) => onVariant({ ...formula, ...change });
  /** Under another name everywhere; the schema refuses names that are taken or no names. */
  const rename = (from: string, to: string) => {
    const renamed = (token: string | number) => (token === from ? to : token);
    const isOther = [...numbers, ...tables].some(({ name }) => name === to && name !== from);
    if (isOther) return `duplicate name: "${to}"`;
    return set({
      mask: formula.mask.map(renamed),
      score: formula.score.map(renamed),
      numbers: numbers.map((each) => (each.name === from ? { ...each, name: to } : each)),
      tables: tables.map((each) => (each.name === from ? { ...each, name: to } : each)),
    });
  };
  /** What is still read cannot go: the formula would name nothing. */
  const removed = (name: string, change: Partial<FormulaVariant>) =>
    [...formula.mask, ...formula.score].includes(name)
      ? `${name} is still in a formula: take it out there first`
      : set(change);
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
          // biome-ignore lint/suspicious/noArrayIndexKey: a row stays itself while it is renamed
          key={i}
          number={number}
          onRename={(to) => rename(number.name, to)}
          onSet={(next) => set({ numbers: numbers.map((each, j) => (j === i ? next : each)) })}
          onRemove={() => removed(number.name, { numbers: numbers.filter((_, j) => j !== i) })}
        />
      ))}
      {tables.map((table, i) => (
        <TableRow
          // biome-ignore lint/suspicious/noArrayIndexKey: a row stays itself while it is renamed
          key={i}
          table={table}
          onRename={(to) => rename(table.name, to)}
          onSet={(next) => set({ tables: tables.map((each, j) => (j === i ? next : each)) })}
          onRemove={() => removed(table.name, { tables: tables.filter((_, j) => j !== i) })}
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
