'use client';

import { useEffect, useState } from 'react';
import { applyPreset, presetOf, STORAGE_PRESETS } from '../../lib/attention/quantise/presets';
import { type CacheStorage, type DecodeParams, isPlainStorage } from '../../lib/spec/kinds/decode';
import { Region } from '../parts/region';
import styles from './decode.module.css';
import { TensorStorageField } from './tensor-storage-field';

interface Props {
  readonly params: DecodeParams;
  /** Gives the sentence why not, or undefined. */
  readonly onParams: (params: unknown) => string | undefined;
}

const MOST_STORAGES = 6;

/** Choose a preset, or write storages: one row each for keys and values. */
export function DecodeEditor({ params, onParams }: Props) {
  const [problem, setProblem] = useState<string>();
  const key = JSON.stringify(params);
  // biome-ignore lint/correctness/useExhaustiveDependencies: params that were taken leave no problem behind
  useEffect(() => setProblem(undefined), [key]);
  const preset = presetOf(params);
  const { storages, layout } = params;
  const set = (change: Readonly<Record<string, unknown>>) => {
    const found = onParams({ ...params, ...change });
    setProblem(found);
    return found;
  };
  const isPaged = layout.type === 'paged';
  return (
    <Region className={styles.editor} label="storage">
      <div className={styles.choice}>
        <label>
          preset{' '}
          <select
            value={preset?.id ?? 'own'}
            onChange={(event) => {
              const chosen = STORAGE_PRESETS.find(({ id }) => id === event.target.value);
              if (chosen !== undefined) setProblem(onParams(applyPreset(params, chosen)));
            }}
          >
            {STORAGE_PRESETS.map(({ id, title }) => (
              <option key={id} value={id}>
                {title}
              </option>
            ))}
            <option value="own" disabled>
              own storages
            </option>
          </select>
        </label>
        <label>
          layout{' '}
          <select
            value={layout.type}
            onChange={(event) =>
              set({
                layout: { type: event.target.value },
                ...(event.target.value === 'paged' ? { storages: pageable(storages) } : {}),
              })
            }
          >
            <option>contiguous</option>
            <option>paged</option>
          </select>
        </label>
      </div>
      {preset !== undefined && (
        <p className={styles.note}>
          {preset.note} ({preset.source})
        </p>
      )}
      {problem !== undefined && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
      {isPaged && (
        <p className={styles.note}>
          pages hold f32, f16 or bf16; page size, lengths and shared prefix are set below, under
          layout
        </p>
      )}
      <Storages storages={storages} mayPack={!isPaged} onSet={(next) => set({ storages: next })} />
    </Region>
  );
}

/** Storages that pages can hold; f32 where there is none. */
function pageable(storages: readonly CacheStorage[]): readonly unknown[] {
  const kept = storages.filter(({ key, value }) => isPlainStorage(key) && isPlainStorage(value));
  return kept.length > 0 ? kept : [{ name: 'f32' }];
}

function Storages({
  storages,
  mayPack,
  onSet,
}: {
  readonly storages: readonly CacheStorage[];
  readonly mayPack: boolean;
  readonly onSet: (storages: unknown) => string | undefined;
}) {
  const replace = (at: number, change: Readonly<Record<string, unknown>>) =>
    onSet(storages.map((each, i) => (i === at ? { ...each, ...change } : each)));
  const freeName = () => {
    for (let i = storages.length + 1; ; i++) {
      const name = `storage ${i}`;
      if (storages.every((each) => each.name !== name)) return name;
    }
  };
  return (
    <details>
      <summary>
        {storages.length} {storages.length === 1 ? 'storage' : 'storages'}:{' '}
        {storages.map(({ name }) => name).join('; ')}
      </summary>
      {storages.map((storage, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: names are edited, places are not
        <fieldset key={i} className={styles.storage}>
          <legend className="visually-hidden">{storage.name}</legend>
          <div className={styles.tensor}>
            <label>
              name{' '}
              <input
                type="text"
                value={storage.name}
                maxLength={40}
                onChange={(event) => replace(i, { name: event.target.value })}
              />
            </label>
            <button
              type="button"
              disabled={storages.length === 1}
              onClick={() => onSet(storages.filter((_, j) => j !== i))}
            >
              Remove {storage.name}
            </button>
          </div>
          <TensorStorageField
            label="keys"
            storage={storage.key}
            mayPack={mayPack}
            onSet={(next) => replace(i, { key: next })}
          />
          <TensorStorageField
            label="values"
            storage={storage.value}
            mayPack={mayPack}
            onSet={(next) => replace(i, { value: next })}
          />
        </fieldset>
      ))}
      <button
        type="button"
        disabled={storages.length >= MOST_STORAGES}
        onClick={() => {
          const type = mayPack ? 'quantised' : 'f16';
          onSet([...storages, { name: freeName(), key: { type }, value: { type } }]);
        }}
      >
        Add a storage
      </button>
    </details>
  );
}
