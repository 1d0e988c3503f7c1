'use client';

import { useState } from 'react';
import type { CacheResult } from '../../lib/evaluate/cell-result';
import type { Session } from '../../lib/run/session-types';
import type { Provenance } from '../../lib/run/types';
import { type MapParams, mapParams } from '../../lib/spec/kinds/views';
import { CacheMap } from '../views/cache-map';
import styles from './cache.module.css';

interface Props {
  readonly cellId: string;
  readonly result: CacheResult;
  readonly provenance: Provenance | undefined;
  readonly session: Session;
  readonly onMap: (params: MapParams) => string | undefined;
}

/** Context tokens before the question whose rows are in sight at first. */
const ROWS_BEFORE = 4;

/** The attention map of the looked-at sample, made when it is opened: the sample runs again for it. */
export function CacheAttention({ cellId, result, provenance, session, onMap }: Props) {
  const [isOpen, setOpen] = useState(false);
  const [said, setSaid] = useState('');
  const { labels, questionLabels, answerLabels, runs } = result;
  const [params, setParams] = useState<MapParams>(() => ({
    ...mapParams.parse({}),
    policy: Math.max(0, runs.length - 1),
    // Where the policy acts: the last rows, all keys.
    window: {
      queryStart: Math.max(0, labels.length - ROWS_BEFORE),
      queryEnd: labels.length + questionLabels.length + answerLabels.length,
      keyStart: 0,
      keyEnd: labels.length + questionLabels.length + answerLabels.length,
    },
  }));
  if (runs.every(({ look }) => look === undefined)) return null;
  return (
    <details className={styles.details} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        Attention map of sample {result.params.look.sample}, with what is kept over it
      </summary>
      {isOpen && (
        <div className={styles.attention}>
          <CacheMap
            {...{ cellId, result, provenance, session, params }}
            reader="in the cell"
            onParamsChange={setParams}
          />
          <p>
            <button
              type="button"
              onClick={() =>
                setSaid(onMap(params) ?? 'the map was added at the end of the notebook')
              }
            >
              add this map to the notebook
            </button>{' '}
            <span role="status" className={styles.note}>
              {said}
            </span>
          </p>
        </div>
      )}
    </details>
  );
}
