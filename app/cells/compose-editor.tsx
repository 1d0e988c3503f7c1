'use client';

import { useState } from 'react';
import { COMPOSE_PRESETS, presetOf, presetParams } from '../../lib/attention/compose/presets';
import type { ComposeParams, ComposePart } from '../../lib/spec/kinds/compose';
import { Region, Within } from '../parts/region';
import styles from './compose-editor.module.css';
import { VariantEditor } from './variant-editor';

interface Props {
  readonly cellId: string;
  readonly params: ComposeParams;
  /** Each gives the sentence why not, or undefined. */
  readonly onParams: (params: unknown) => string | undefined;
  readonly onVariant: (part: number, variant: unknown) => string | undefined;
}

/** Choose a preset, see what it does, and rewrite the mask of any part. */
export function ComposeEditor({ cellId, params, onParams, onVariant }: Props) {
  const preset = presetOf(params);
  const choose = (id: string) => {
    const chosen = COMPOSE_PRESETS.find((each) => each.id === id);
    if (chosen !== undefined) onParams(presetParams(chosen, params));
  };
  return (
    <Region className={styles.editor} label="composition">
      <label className={styles.choice}>
        preset{' '}
        <select value={preset?.id ?? 'own'} onChange={(event) => choose(event.target.value)}>
          {COMPOSE_PRESETS.map(({ id, title }) => (
            <option key={id} value={id}>
              {title}
            </option>
          ))}
          <option value="own" disabled={preset !== undefined}>
            own composition
          </option>
        </select>
      </label>
      <p className={styles.note} aria-live="polite">
        {preset?.note ?? 'Masks are below, numbers and rules further down.'}
      </p>
      {params.parts.map((part, i) => (
        <PartEditor
          key={part.name}
          cellId={cellId}
          part={part}
          params={params}
          onVariant={(variant) => onVariant(i, variant)}
        />
      ))}
    </Region>
  );
}

interface PartProps {
  readonly cellId: string;
  readonly part: ComposePart;
  readonly params: ComposeParams;
  readonly onVariant: (variant: unknown) => string | undefined;
}

function PartEditor({ cellId, part, params, onVariant }: PartProps) {
  const [isOpen, setOpen] = useState(false);
  const { shape, structure, engine, timedRuns, seed } = params;
  const { name, variant, channels, temperature, lseScale } = part;
  const facts = [
    variant.type,
    ...(channels === 'all' ? [] : [channels]),
    ...(temperature === 1 ? [] : [`temperature ${temperature}`]),
    ...(lseScale === 1 ? [] : [`LSE x ${Number(lseScale.toPrecision(3))}`]),
  ];
  return (
    <details className={styles.part} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        part <code>{name}</code>: {facts.join(', ')}
      </summary>
      {isOpen && (
        <Within part={name}>
          <VariantEditor
            cellId={cellId}
            params={{
              shape,
              structure,
              inputs: { source: 'synthetic' },
              variant,
              select: { type: 'none' },
              engine,
              timedRuns,
              seed,
            }}
            onVariant={onVariant}
          />
        </Within>
      )}
    </details>
  );
}
