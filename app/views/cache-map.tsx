'use client';

import { useMemo } from 'react';
import type { CacheHead } from '../../lib/evaluate/cache-head';
import type { CacheResult } from '../../lib/evaluate/cell-result';
import type { MapSource, Session } from '../../lib/run/session-types';
import type { Provenance } from '../../lib/run/types';
import type { MapParams } from '../../lib/spec/kinds/views';
import { RECALL_SHAPE } from '../../lib/transformer/recall';
import { keptMass, stateText } from '../../lib/views/cache/head-map';
import { formatPercent } from '../../lib/views/format';
import { SEEN_SLOTS } from '../../lib/views/map/block-words';
import { provenanceLabel } from '../parts/provenance-line';
import { cacheMapSource } from './cache-map-source';
import type { MapOperand } from './map-operand';
import { MapView } from './map-view';
import { useCacheHead } from './use-cache-head';
import styles from './views.module.css';

const GROUP = RECALL_SHAPE.heads / RECALL_SHAPE.kvHeads;

interface Props {
  readonly cellId: string;
  readonly result: CacheResult;
  /** Absent while the result is a partial one. */
  readonly provenance: Provenance | undefined;
  readonly session: Session;
  /** Unlike those of other maps over the same cell. */
  readonly reader: string;
  readonly params: MapParams;
  readonly onParamsChange: (params: MapParams) => void;
}

/** Who attends to whom in the looked-at sample with nothing dropped, and over it what a policy lets every query see. */
export function CacheMap(props: Props) {
  const { cellId, result, provenance, session, reader, params, onParamsChange } = props;
  const { runs } = result;
  const ran = runs.flatMap(({ look, label }, entry) =>
    look === undefined ? [] : [{ entry, label }],
  );
  const chosen = ran.find(({ entry }) => entry === params.policy) ?? ran.at(-1);
  const layer = Math.min(params.layer, RECALL_SHAPE.layers - 1);
  const head = Math.min(params.head, RECALL_SHAPE.heads - 1);
  const entry = chosen?.entry;
  const resultKey = `${cellId} ${provenance?.computedAt ?? ''} ${JSON.stringify(result.params)}`;
  const place = useMemo(
    () => (entry === undefined ? undefined : { entry, layer, kvHead: Math.floor(head / GROUP) }),
    [entry, layer, head],
  );
  const { loaded, problem } = useCacheHead(session, cellId, resultKey, place, `${reader} view`);
  const source = useMemo(
    () =>
      entry === undefined
        ? undefined
        : cacheMapSource(session, cellId, { entry, layer }, GROUP, reader),
    [session, cellId, entry, layer, reader],
  );
  if (chosen === undefined) {
    return <p className={styles.note}>no policy of {cellId} has run to its end yet</p>;
  }
  // Texts of another policy may be of another length: its map waits for its own.
  const shown = loaded?.place.entry === entry ? loaded?.head : undefined;
  const pick = (name: 'policy' | 'layer', value: number) =>
    onParamsChange({ ...params, [name]: value });
  return (
    <>
      <div className={styles.tools}>
        <label>
          policy{' '}
          <select
            value={chosen.entry}
            onChange={({ target }) => pick('policy', Number(target.value))}
          >
            {ran.map((each) => (
              <option key={each.entry} value={each.entry}>
                {each.label}
              </option>
            ))}
          </select>
        </label>
        <label>
          layer{' '}
          <select value={layer} onChange={({ target }) => pick('layer', Number(target.value))}>
            {Array.from({ length: RECALL_SHAPE.layers }, (_, each) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a layer is its number
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </select>
        </label>
      </div>
      {problem !== undefined && <p role="alert">{problem}</p>}
      {shown === undefined || source === undefined ? (
        problem === undefined && <p className={styles.note}>running the sample again</p>
      ) : (
        <>
          <HeadNote head={shown} label={chosen.label} />
          <HeadMap
            key={`${shown.labels.length} ${chosen.entry}`}
            {...{ cellId, result, provenance, source, layer, head, label: chosen.label }}
            cache={shown}
            resultKey={`${resultKey} ${chosen.entry} ${layer}`}
            params={params}
            onParamsChange={onParamsChange}
          />
        </>
      )}
    </>
  );
}

interface HeadMapProps
  extends Pick<Props, 'cellId' | 'result' | 'provenance' | 'params' | 'onParamsChange'> {
  readonly source: MapSource;
  readonly layer: number;
  readonly head: number;
  readonly label: string;
  /** Of this KV head, or of the one before while it is on its way. */
  readonly cache: CacheHead;
  readonly resultKey: string;
}

function HeadMap(props: HeadMapProps) {
  const { cellId, result, provenance, params, onParamsChange } = props;
  const { source, layer, head, label, cache, resultKey } = props;
  const { seed, look } = result.params;
  const operand = useMemo((): MapOperand => {
    const isHere = cache.layer === layer && cache.firstHead === head - (head % cache.group);
    const tokens = cache.labels.length;
    const labelAt = (position: number) => JSON.stringify(cache.labels[position] ?? '');
    return {
      id: cellId,
      queries: tokens,
      keys: tokens,
      heads: cache.heads,
      batches: 1,
      isSigned: false,
      subject: 'Attention map',
      note: undefined,
      source,
      resultKey,
      provenanceLabel: provenance === undefined ? 'partial' : provenanceLabel(provenance),
      origin: `${label}, layer ${layer}, sample ${look.sample}, seed ${seed}`,
      attention: undefined,
      tokens: cache.labels,
      labelOf: { query: labelAt, key: labelAt },
      words: SEEN_SLOTS,
      ...(isHere ? { stateOf: (query, key) => stateText(cache, query, key) } : {}),
    };
  }, [cellId, source, resultKey, provenance, label, layer, head, look.sample, seed, cache]);
  return (
    <MapView
      params={{ ...params, head, batch: 0 }}
      first={operand}
      second={undefined}
      heads={cache.heads}
      batches={1}
      shows={SHOWN}
      onParamsChange={onParamsChange}
    />
  );
}

const SHOWN = ['blocks'] as const;

/** Whole numbers from `start` to before `end` in words. */
function spanText(start: number, end: number): string {
  return end - start === 1 ? `${start}` : `${start} to ${end - 1}`;
}

/** What the rows are, and how much of the attention of question and answer the policy kept. */
function HeadNote({ head, label }: { readonly head: CacheHead; readonly label: string }) {
  const { contextTokens, questionTokens, layer, kvHead, labels } = head;
  const answerFrom = contextTokens + questionTokens;
  const mass = keptMass(head, contextTokens);
  return (
    <p className={styles.note} data-testid="kept-mass">
      Tokens {spanText(0, contextTokens)} are the context, {spanText(contextTokens, answerFrom)} the
      question
      {labels.length > answerFrom
        ? `, ${spanText(answerFrom, labels.length)} what was written`
        : ''}
      . Weights are those of the full cache. Of the attention of question and answer in layer{' '}
      {layer}, KV head {kvHead}, {Number.isNaN(mass) ? 'nothing is known' : formatPercent(mass)}{' '}
      lies on what {label} let them see.
    </p>
  );
}
