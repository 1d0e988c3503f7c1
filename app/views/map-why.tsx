'use client';

import { useEffect, useMemo, useState } from 'react';
import { BLOCK } from '../../lib/attention/block-states';
import { elementCost } from '../../lib/attention/element-cost';
import { makeProgram, programBindings, queryPosition } from '../../lib/attention/program';
import type { AttentionResult, BlockList, MapScore } from '../../lib/attention/types';
import { type Explanation, explain } from '../../lib/formula/explain';
import type { AttentionParams } from '../../lib/spec/kinds/attention';
import { formatCount, formatPercent } from '../../lib/views/format';
import type { MapReading } from '../../lib/views/map/reading';
import { Region } from '../parts/region';
import type { MapHead } from './use-map-data';
import styles from './views.module.css';

interface Props {
  readonly id: string;
  readonly attention: AttentionParams;
  readonly summary: AttentionResult['blockList'];
  readonly head: MapHead;
  readonly list: BlockList | undefined;
  readonly reading: MapReading | undefined;
}

const number = (value: number) => Number(value.toPrecision(4)).toString();

/** Why an element is as it is: the formulas of its cell with their values there, and what its block costs. */
export function MapWhy({ id, attention, summary, head, list, reading }: Props) {
  const program = useMemo(() => makeProgram(attention), [attention]);
  const score = useScore(head, reading);
  if (reading === undefined) {
    return <p className={styles.note}>point at the map, or move its cursor, to see why</p>;
  }
  const { query, key } = reading;
  const { shape, select } = attention;
  const q = queryPosition(shape, query);
  const point = { b: head.batch, h: head.head, q, k: key, score: score?.score ?? Number.NaN };
  const bindings = programBindings(shape, program);
  const mask = program.mask && explain(program.mask, bindings, point);
  const change = program.score && score && explain(program.score, bindings, point);
  const isSeen = mask === undefined || mask.value !== 0;
  const isLeftOut = isSeen && select.type !== 'none' && Number.isNaN(reading.first);
  const cost = list && elementCost(list, shape, summary, query, key);
  const logit = change?.value ?? score?.score;
  return (
    <Region className={styles.why} label="why">
      <p>
        {id}, query {query}, key {key}
        {q === query ? '' : `: the query is at position ${q} of the keys`}
      </p>
      <dl>
        <dt>mask</dt>
        <dd>
          {mask === undefined ? 'every key is seen' : <Formula of={mask} />}
          {isLeftOut && ` But ${select.type} did not select the key.`}
        </dd>
        <dt>score</dt>
        <dd data-testid="why-score">
          {score === undefined || logit === undefined ? (
            'reading'
          ) : (
            <>
              q · k / √{shape.headSize} = {number(score.score)}
              {change === undefined ? (
                ', unchanged'
              ) : (
                <>
                  , then
                  <Formula of={change} />
                </>
              )}
              {isSeen && !isLeftOut
                ? `; p = exp(${number(logit)} − ${number(score.lse)}) = ${number(Math.exp(logit - score.lse))}`
                : '; never used'}
            </>
          )}
        </dd>
        <dt>cost</dt>
        <dd data-testid="why-cost">
          {cost === undefined
            ? 'reading'
            : `query block ${cost.queryBlock}, key block ${cost.keyBlock}: ${
                cost.state === BLOCK.skipped
                  ? 'skipped, costs nothing'
                  : `${cost.state === BLOCK.full ? 'full' : 'partial'}, ${formatCount(cost.pairs)} pairs, ${formatCount(cost.flops)} FLOP, ${formatPercent(cost.shareOfCall)} of the call`
              }`}
        </dd>
      </dl>
    </Region>
  );
}

/** A formula, its values and the parts that decide it. */
function Formula({ of }: { readonly of: Explanation }) {
  const { text, substituted, value, isCondition, reads, terms } = of;
  return (
    <>
      {' '}
      <code>{text}</code>
      {reads.length > 0 && (
        <>
          {' '}
          with {reads.map(({ name, value: each }) => `${name} = ${number(each)}`).join(', ')}:{' '}
          <code>{substituted}</code>
        </>
      )}{' '}
      is{' '}
      <strong>
        {isCondition ? (value === 0 ? 'false, masked' : 'true, seen') : number(value)}
      </strong>
      {terms.length > 0 && (
        <ul>
          {terms.map((term) => (
            <li key={term.text} data-truth={term.value !== 0}>
              <code>{term.text}</code>: <code>{term.substituted}</code> is{' '}
              {term.value === 0 ? 'false' : 'true'}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** The score of the element on show; while another is on its way there is none. */
function useScore(head: MapHead, reading: MapReading | undefined): MapScore | undefined {
  const [loaded, setLoaded] = useState<{ readonly of: string; readonly score: MapScore }>();
  const of =
    reading === undefined
      ? undefined
      : `${head.resultKey} ${head.batch} ${head.head} ${reading.query} ${reading.key}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `of` stands for the element of a head
  useEffect(() => {
    if (reading === undefined || of === undefined) return;
    let isCurrent = true;
    head.source
      .lane('why')
      .score(head.batch, head.head, { query: reading.query, key: reading.key })
      .then(
        (score) => isCurrent && setLoaded({ of, score }),
        // The next element asks again; a lost device is told by the cell itself.
        () => undefined,
      );
    return () => {
      isCurrent = false;
    };
  }, [of]);
  return loaded?.of === of ? loaded?.score : undefined;
}
