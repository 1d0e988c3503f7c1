'use client';

import { useMemo } from 'react';
import {
  type HybridBytes,
  type HybridLayer,
  hybridLayers,
} from '../../lib/attention/recurrent/hybrid';
import type { HybridRecall, MemoryRecall } from '../../lib/attention/recurrent/hybrid-recall';
import type { RecurrentParams } from '../../lib/spec/kinds/recurrent';
import { formatBytes, formatPercent } from '../../lib/views/format';
import { Region } from '../parts/region';
import { SeriesChart } from '../views/series-chart';
import styles from './results.module.css';

interface Props {
  readonly stack: RecurrentParams['hybrid'];
  readonly curve: readonly HybridBytes[];
  readonly recall: HybridRecall | undefined;
}

const TOKENS = { label: 'context (tokens)', type: 'log', base: 2, format: tokensText } as const;
const BYTES = { label: 'kept between tokens', type: 'log', base: 2, format: formatBytes } as const;

function tokensText(tokens: number): string {
  if (tokens >= 2 ** 20) return `${tokens / 2 ** 20}Mi`;
  return tokens >= 1024 ? `${tokens / 1024}Ki` : String(tokens);
}

/** What the stack keeps over the context's length, and what one of its blocks can recall. */
export function RecurrentHybridView({ stack, curve, recall }: Props) {
  const isHybrid = stack.softmaxEvery > 0 || stack.crossLayers > 0;
  const layers = hybridLayers(stack);
  const count = (kind: HybridLayer) => layers.filter((each) => each === kind).length;
  const chart = useMemo(
    () => ({
      xs: curve.map((each) => each.contextTokens),
      series: [
        { name: 'full attention', values: curve.map((each) => each.fullAttention) },
        ...(isHybrid ? [{ name: 'this hybrid', values: curve.map((each) => each.hybrid) }] : []),
        { name: 'recurrent only', values: curve.map((each) => each.recurrentOnly) },
      ],
    }),
    [curve, isHybrid],
  );
  const last = curve.at(-1);
  if (last === undefined) return null;
  return (
    <Region label="stack">
      <p className={styles.note}>
        a stack of {layers.length} layers:{' '}
        {isHybrid
          ? [
              `${count('window')} with a softmax window of ${stack.windowTokens} tokens (at most ${formatBytes(last.windowLayer)} each)`,
              `${count('recurrent')} recurrent (${formatBytes(last.recurrentLayer)} each)`,
              ...(stack.crossLayers > 0
                ? [
                    `${count('full')} of full attention, whose cache ${count('cross')} of cross-attention share`,
                    `${count('unit')} gated memory units, which keep nothing`,
                  ]
                : []),
            ].join(', ')
          : `all recurrent, ${formatBytes(last.recurrentLayer)} each`}
        . after {tokensText(last.contextTokens)} tokens it keeps {formatBytes(last.hybrid)}, full
        attention {formatBytes(last.fullAttention)}, in f32.
        {stack.crossLayers > 0 &&
          ` one more token reads ${formatBytes(last.read)}; with cross-attention in place of the units it would be ${formatBytes(last.readWithoutUnits)}.`}
      </p>
      <SeriesChart
        {...chart}
        x={TOKENS}
        y={BYTES}
        description="bytes kept by the stack over the context's length, both axes logarithmic"
      />
      {recall !== undefined && <RecallTable recall={recall} />}
    </Region>
  );
}

function RecallTable({ recall }: { readonly recall: HybridRecall }) {
  const memories: readonly (readonly [string, MemoryRecall])[] = [
    [`state alone, ${recall.recurrentOnlyKeySize} key channels`, recall.recurrentOnly],
    [`window alone, ${recall.windowOnlyPairs} pairs`, recall.windowOnly],
    [`hybrid, ${recall.windowPairs} pairs and ${recall.recurrentLayers} states`, recall.hybrid],
  ];
  return (
    <>
      <p className={styles.note}>
        recall of one block, simulated without training: one head of {recall.keySize} channels,
        every memory {formatBytes(recall.bytes)}. a pair among the window's last is taken to come
        back exactly, which bounds softmax from above; an older one is read from the state, folded
        from the block's recurrent layers. share of pairs whose answer is nearest to their own
        value, and the relative error
      </p>
      <div className={styles.scroll}>
        <table>
          <caption className="visually-hidden">recall by pairs written</caption>
          <thead>
            <tr>
              <th scope="col">pairs written</th>
              {recall.pairs.map((pairs) => (
                <th key={pairs} scope="col">
                  {pairs}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {memories.map(([name, { errors, recalled }]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                {recall.pairs.map((pairs, i) => (
                  <td key={pairs}>
                    {formatPercent(recalled[i]!)} ({errors[i]!.toPrecision(2)})
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
