'use client';

import { useState } from 'react';
import type { CacheResult } from '../../lib/evaluate/cell-result';
import type { Session } from '../../lib/run/session-types';
import type { Provenance } from '../../lib/run/types';
import { type MapParams, mapParams } from '../../lib/spec/kinds/views';
import { RECALL_SHAPE } from '../../lib/transformer/recall';
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
export function CacheAttention(props: Props) {
  const [isOpen, setOpen] = useState(false);
  const { runs, params } = props.result;
  if (runs.every(({ look }) => look === undefined)) return null;
  return (
    <details className={styles.details} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Attention map of sample {params.look.sample}, with what is kept over it</summary>
      {isOpen && <OpenedMap {...props} />}
    </details>
  );
}

function OpenedMap({ cellId, result, provenance, session, onMap }: Props) {
  const [params, setParams] = useState(() => firstView(result));
  const [said, setSaid] = useState('');
  return (
    <div className={styles.attention}>
      <CacheMap
        {...{ cellId, result, provenance, session, params }}
        reader="in the cell"
        onParamsChange={setParams}
      />
      <p>
        <button
          type="button"
          onClick={() => setSaid(onMap(params) ?? 'the map was added at the end of the notebook')}
        >
          add this map to the notebook
        </button>{' '}
        <span role="status" className={styles.note}>
          {said}
        </span>
      </p>
    </div>
  );
}

/** The head whose question looks most at the answer, where policies act: the last rows, all keys. */
function firstView({
  runs,
  labels,
  questionLabels,
  answerLabels,
  attention,
  evidence,
}: CacheResult): MapParams {
  const contextTokens = labels.length;
  const tokens = contextTokens + questionLabels.length + answerLabels.length;
  const masses = Array.from({ length: attention.length / contextTokens }, (_, row) =>
    evidence.reduce((sum, [start, end]) => {
      const span = attention.subarray(row * contextTokens + start, row * contextTokens + end);
      return sum + span.reduce((a, b) => a + b, 0);
    }, 0),
  );
  const row = Math.max(0, masses.indexOf(Math.max(...masses)));
  const { heads, kvHeads } = RECALL_SHAPE;
  return {
    ...mapParams.parse({}),
    policy: runs.findLastIndex(({ look }) => look !== undefined),
    layer: Math.floor(row / kvHeads),
    head: (row % kvHeads) * (heads / kvHeads),
    window: {
      queryStart: Math.max(0, contextTokens - ROWS_BEFORE),
      queryEnd: tokens,
      keyStart: 0,
      keyEnd: tokens,
    },
  };
}
