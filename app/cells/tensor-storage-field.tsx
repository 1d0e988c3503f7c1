'use client';

import type { DeltaStorage, QuantisedStorage, TensorStorage } from '../../lib/spec/kinds/decode';
import { NumberField } from '../parts/fields';
import styles from './decode.module.css';

type Granularity = QuantisedStorage['granularity'];

const GRANULARITIES: Readonly<Record<Granularity['type'], string>> = {
  token: 'per token',
  channel: 'per channel',
  grouped: 'per group of channels',
  'rope-pair': 'per RoPE pair',
};
const NUMBERS = ['f32', 'f16', 'bf16'] as const;
const BITS = [8, 4, 2] as const;

interface Props {
  readonly label: string;
  readonly storage: TensorStorage;
  /** Whether codes with scales may be chosen; pages hold none. */
  readonly mayPack: boolean;
  /** Gives the sentence why not, or undefined. */
  readonly onSet: (storage: unknown) => string | undefined;
}

/** How keys or values are stored: a type of numbers, or bits, mode, what shares a scale, and the scales' type. */
export function TensorStorageField({ label, storage, mayPack, onSet }: Props) {
  const isQuantised = storage.type === 'quantised';
  const choose = (value: string) => {
    if (NUMBERS.some((type) => type === value)) onSet({ type: value });
    else if (value === 'delta') onSet({ type: 'delta' });
    else onSet({ ...(isQuantised ? storage : { type: 'quantised' }), bits: Number(value) });
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: one row of a fieldset
    <div className={styles.tensor} role="group" aria-label={label}>
      <label>
        {label}{' '}
        <select
          value={isQuantised ? String(storage.bits) : storage.type}
          onChange={(event) => choose(event.target.value)}
        >
          {NUMBERS.map((type) => (
            <option key={type}>{type}</option>
          ))}
          {(mayPack ? BITS : []).map((bits) => (
            <option key={bits} value={bits}>
              {bits} bits
            </option>
          ))}
          {mayPack && <option value="delta">differences</option>}
        </select>
      </label>
      {storage.type === 'delta' && <Deltas storage={storage} onSet={onSet} />}
      {isQuantised && <Scheme storage={storage} onSet={onSet} />}
    </div>
  );
}

function Deltas({
  storage,
  onSet,
}: {
  readonly storage: DeltaStorage;
  readonly onSet: Props['onSet'];
}) {
  const fields = [
    ['threshold', 'left out up to', 0.05],
    ['windowTokens', 'recent tokens whole', 1],
    ['groupTokens', 'tokens per whole one', 1],
  ] as const;
  return (
    <>
      {fields.map(([name, label, step]) => (
        <NumberField
          key={name}
          label={label}
          value={storage[name]}
          minimum={undefined}
          maximum={undefined}
          step={step}
          onSet={(next) => onSet({ ...storage, [name]: next })}
        />
      ))}
      <select
        aria-label="place of the differences"
        value={storage.place}
        onChange={(event) => onSet({ ...storage, place: event.target.value })}
      >
        <option value="before-rope">before RoPE</option>
        <option value="after-rope">after RoPE</option>
      </select>
    </>
  );
}

function Scheme({
  storage,
  onSet,
}: {
  readonly storage: QuantisedStorage;
  readonly onSet: Props['onSet'];
}) {
  const { granularity, mode, scaleType } = storage;
  const size =
    'groupTokens' in granularity
      ? (['groupTokens', 'tokens', granularity.groupTokens] as const)
      : 'groupChannels' in granularity
        ? (['groupChannels', 'channels', granularity.groupChannels] as const)
        : undefined;
  return (
    <>
      <label>
        scales{' '}
        <select
          value={granularity.type}
          onChange={(event) => onSet({ ...storage, granularity: { type: event.target.value } })}
        >
          {Object.entries(GRANULARITIES).map(([type, text]) => (
            <option key={type} value={type}>
              {text}
            </option>
          ))}
        </select>
      </label>
      {size !== undefined && (
        <NumberField
          label={`${size[1]} per scale`}
          value={size[2]}
          minimum={undefined}
          maximum={undefined}
          step={size[0] === 'groupChannels' ? 4 : 1}
          onSet={(next) => onSet({ ...storage, granularity: { ...granularity, [size[0]]: next } })}
        />
      )}
      <select
        aria-label="mode"
        value={mode}
        onChange={(event) => onSet({ ...storage, mode: event.target.value })}
      >
        <option>asymmetric</option>
        <option>symmetric</option>
      </select>
      <select
        aria-label="type of scales"
        value={scaleType}
        onChange={(event) => onSet({ ...storage, scaleType: event.target.value })}
      >
        <option value="f16">f16 scales</option>
        <option value="f32">f32 scales</option>
      </select>
    </>
  );
}
