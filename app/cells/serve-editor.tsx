'use client';

import { useId, useState } from 'react';
import { presetOf, presetStrategy, STRATEGY_PRESETS } from '../../lib/serving/compose/presets';
import { toComposed } from '../../lib/serving/compose/to-composed';
import type { ServeParams, ServeStrategy } from '../../lib/spec/kinds/serve';
import type { ComposedStrategy } from '../../lib/spec/kinds/serve-parts';
import { type JsonSchema, paramsSchema } from '../../lib/spec/ranges';
import { fieldLabel } from '../../lib/views/format';
import { Region } from '../parts/region';
import styles from './serve-editor.module.css';

interface Props {
  readonly params: ServeParams;
  readonly onStrategy: (strategy: unknown) => string | undefined;
}

const NAMED = {
  vllm: 'vLLM (V0 rules)',
  'vllm-v1': 'vLLM V1',
  sarathi: 'Sarathi-Serve',
  distserve: 'DistServe',
} as const satisfies Record<Exclude<ServeStrategy['type'], 'composed'>, string>;

const PARTS = [
  'topology',
  'router',
  'priority',
  'admission',
  'batchFormer',
  'chunker',
  'preemption',
  'kvAlloc',
  'prefixIndex',
  'eviction',
  'reuseRepair',
  'tierStore',
  'rejection',
  'partition',
  'encode',
] as const satisfies readonly (keyof ComposedStrategy)[];

/** Choose a published strategy, read its rule, and exchange its parts one by one. */
export function ServeEditor({ params, onStrategy }: Props) {
  const { strategy } = params;
  const noteId = useId();
  const [problem, setProblem] = useState<string>();
  const set = (next: unknown) => setProblem(onStrategy(next));
  const composed = strategy.type === 'composed' ? strategy : undefined;
  const preset = composed === undefined ? undefined : presetOf(composed);
  const value = composed === undefined ? strategy.type : (preset?.id ?? 'own');
  const choose = (id: string) => {
    const chosen = STRATEGY_PRESETS.find((each) => each.id === id);
    if (chosen !== undefined) set(presetStrategy(chosen, toComposed(strategy)));
    else if (id in NAMED) set({ type: id });
  };
  const exchange = (part: (typeof PARTS)[number], type: string) =>
    // The name of a published strategy stays with exactly its parts.
    set({
      ...composed,
      name: preset === undefined ? composed?.name : 'composed',
      [part]: { type },
    });
  const apart = composed === undefined ? toComposed(strategy) : undefined;
  return (
    <Region className={styles.editor} label="strategy and parts">
      <label className={styles.choice}>
        strategy{' '}
        <select
          value={value}
          aria-describedby={noteId}
          onChange={(event) => choose(event.target.value)}
        >
          <optgroup label="named, with their own few settings">
            {Object.entries(NAMED).map(([id, title]) => (
              <option key={id} value={id}>
                {title}
              </option>
            ))}
          </optgroup>
          <optgroup label="composed of parts">
            {STRATEGY_PRESETS.map(({ id, title }) => (
              <option key={id} value={id}>
                {title}
              </option>
            ))}
            <option value="own" disabled={value !== 'own'}>
              own composition
            </option>
          </optgroup>
        </select>
      </label>
      {apart !== undefined && (
        <button type="button" onClick={() => set(apart)}>
          Take it apart
        </button>
      )}
      <div className={styles.note} id={noteId} aria-live="polite">
        {preset !== undefined && (
          <>
            <p>{preset.rule}</p>
            <p>
              {preset.source}; {preset.evidence}.
            </p>
          </>
        )}
        {value === 'own' && <p>no published strategy has exactly these parts.</p>}
      </div>
      {composed !== undefined && (
        <div className={styles.parts}>
          {PARTS.map((part) => (
            <label key={part}>
              {fieldLabel(part)}
              <select
                value={composed[part].type}
                onChange={(event) => exchange(part, event.target.value)}
              >
                {optionsOf(part).map((type) => (
                  <option key={type}>{type}</option>
                ))}
              </select>
            </label>
          ))}
        </div>
      )}
      {problem !== undefined && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
    </Region>
  );
}

/** Types of a part, from the schema that checks the document. */
function optionsOf(part: string): readonly string[] {
  const { strategy } = paramsSchema('serve').properties ?? {};
  const unionOf = (schema: JsonSchema | undefined) => schema?.oneOf ?? schema?.anyOf ?? [];
  const composed = unionOf(strategy).find(
    (option) => option.properties?.type?.const === 'composed',
  );
  return unionOf(composed?.properties?.[part]).map((option) =>
    String(option.properties?.type?.const),
  );
}
