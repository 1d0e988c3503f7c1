import type { Evaluation, KeyedShare } from '../../evaluate/types';
import type { TalliedShare } from '../../stats/tally';
import type { TransformerConfig } from '../../transformer/types';

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

export function shareLine({ share, low, high, right, total }: TalliedShare): string {
  return `${percent(share)} (${percent(low)} to ${percent(high)}), ${right} of ${total}`;
}

function chanceText(chance: number): string {
  return chance >= 0.001 ? percent(chance) : chance.toExponential(1);
}

function keyedLines<K>(name: string, shares: readonly KeyedShare<K>[]): string[] {
  return shares.length < 2 ? [] : shares.map((each) => `${name} ${each.key}\t${shareLine(each)}`);
}

/** Results as lines of name, tab, value. */
export function evaluationLines(evaluation: Evaluation, wallSeconds: number): string[] {
  const { accuracy, bytesPerToken, chance, lossGapNats: gap, plan } = evaluation;
  const bytes = (count: number) => count.toFixed(1);
  return [
    ...(accuracy
      ? [
          `accuracy\t${shareLine(accuracy)}`,
          `intervals\t95 %, Wilson`,
          `chance\t${chanceText(chance)}`,
        ]
      : []),
    ...(evaluation.tokenAccuracy === undefined
      ? []
      : [`tokens right\t${percent(evaluation.tokenAccuracy)} of the answers' tokens`]),
    ...(gap
      ? [
          `loss gap\t${gap.mean.toFixed(4)} nats (${gap.low.toFixed(4)} to ${gap.high.toFixed(4)}) above ${gap.entropyNats.toFixed(4)}`,
        ]
      : []),
    ...keyedLines('kind', evaluation.byKind),
    ...keyedLines('depth from', evaluation.byDepth),
    ...keyedLines('question', evaluation.byTurn),
    ...keyedLines('offset', evaluation.byOffset),
    `bytes per token\tpayload ${bytes(bytesPerToken.payload)}, overhead ${bytes(bytesPerToken.overhead)}, host ${bytes(bytesPerToken.host)} (full cache in f16: ${bytes(bytesPerToken.full)})`,
    `held\t${percent(evaluation.byteRatio)} of the bytes, ${percent(evaluation.slotRatio)} of the slots`,
    `moved\t${bytes(evaluation.movedBytesPerSample)} bytes a sample, ${bytes(evaluation.movedBytesPerToken)} a token of questions and answers`,
    `computed again\t${bytes(evaluation.recomputedTokenLayersPerSample)} tokens times layers a sample, ${(evaluation.recomputedFlopsPerSample / 1e6).toFixed(1)} MFLOP in their matrices`,
    `time\t${wallSeconds.toFixed(2)} s for ${evaluation.samplesDone} contexts of ${plan.contextTokens} tokens`,
  ];
}

/** What each way to follow an edit answers, and how many tokens of a context it runs again. */
export function editLines(
  runs: readonly { readonly id: string; readonly evaluation: Evaluation }[],
  { layers }: Pick<TransformerConfig, 'layers'>,
): string[] {
  return [
    'cache\taccuracy\trecomputed tokens a context',
    ...runs.map(({ id, evaluation: { accuracy, recomputedTokenLayersPerSample } }) =>
      [
        id,
        accuracy ? shareLine(accuracy) : '',
        (recomputedTokenLayersPerSample / layers).toFixed(1),
      ].join('\t'),
    ),
  ];
}
