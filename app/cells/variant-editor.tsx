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
  type FormulaVariant,
  formulaScope,
} from '../../lib/spec/kinds/attention';
import { Region } from '../parts/region';
import { FormulaParts } from './formula-parts';
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
    <Region className={styles.editor} label="variant">
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
    </Region>
  );
}

function maskText(formula: FormulaVariant): string {
  const built = fromTokens(formula.mask, formulaScope(formula, 'mask'), 'bool');
  return built.ok ? printFormula(built.node) : 'every key';
}
