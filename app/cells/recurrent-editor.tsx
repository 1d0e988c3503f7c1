'use client';

import { presetOf, presetParams, RECURRENT_PRESETS } from '../../lib/attention/recurrent/presets';
import type { RecurrentParams } from '../../lib/spec/kinds/recurrent';
import { Region } from '../parts/region';
import styles from './variant-editor.module.css';

interface Props {
  readonly params: RecurrentParams;
  readonly onParams: (params: RecurrentParams) => string | undefined;
}

const MOST_EVERY = 8;

/** Choose a named layer, and how many layers of the stack are softmax windows. */
export function RecurrentEditor({ params, onParams }: Props) {
  const { hybrid } = params;
  const preset = presetOf(params);
  const choose = (id: string) => {
    const chosen = RECURRENT_PRESETS.find((each) => each.id === id);
    if (chosen !== undefined) onParams(presetParams(chosen, params));
  };
  return (
    <Region className={styles.editor} label="layer">
      <div className={styles.text}>
        <label className={styles.choice}>
          preset{' '}
          <select value={preset?.id ?? 'own'} onChange={(event) => choose(event.target.value)}>
            {RECURRENT_PRESETS.map(({ id, title }) => (
              <option key={id} value={id}>
                {title}
              </option>
            ))}
            <option value="own" disabled={preset !== undefined}>
              own layer
            </option>
          </select>
        </label>
        <p className={styles.note} aria-live="polite">
          {preset?.note ?? 'no preset has this combination.'}
        </p>
        <div className={styles.number}>
          <label>
            window layer in every
            <input
              type="range"
              min={0}
              max={Math.max(MOST_EVERY, hybrid.softmaxEvery)}
              step={1}
              value={hybrid.softmaxEvery}
              aria-valuetext={everyText(hybrid.softmaxEvery)}
              onChange={(event) =>
                onParams({
                  ...params,
                  hybrid: { ...hybrid, softmaxEvery: event.target.valueAsNumber },
                })
              }
            />
            <output>{everyText(hybrid.softmaxEvery)}</output>
          </label>
        </div>
      </div>
    </Region>
  );
}

function everyText(every: number): string {
  if (every === 0) return 'none';
  return every === 1 ? '1, all windows' : `${every}, 1:${every - 1}`;
}
