import { createRandom } from '../../random/random';
import { HARDWARE } from '../presets/hardware';
import { MODELS } from '../presets/models';
import { batchOf, checkRoofline, SHARES_NOTE } from './cost-parts';
import type { CheckFigure, RowCheck } from './types';

const cost = checkRoofline(MODELS['llama-2-7b'], HARDWARE['a100-80g']);
const MEDIAN_TOKENS = 250;
const LONGEST_TOKENS = 4096;
const TRIALS = 20;

/**
 * Prompts packed into rows of the longest prompt, first fit, longest first.
 * @param lengths of the prompts, at least one
 * @returns number of rows
 */
export function packedRows(lengths: readonly number[]): number {
  const capacity = Math.max(...lengths);
  const rows: number[] = [];
  for (const length of [...lengths].sort((a, b) => b - a)) {
    const row = rows.findIndex((free) => free >= length);
    if (row >= 0) rows[row] = (rows[row] as number) - length;
    else rows.push(capacity - length);
  }
  return rows.length;
}

function seconds(lengths: readonly number[]) {
  const longest = Math.max(...lengths);
  const rowsOf = (prompts: number) =>
    cost.iterationSeconds(batchOf({ prompts, promptTokens: longest }));
  const exact = batchOf({});
  for (const length of lengths) {
    exact.prefillCount++;
    exact.prefillTokens += length;
    exact.prefillAttentionPairs += length ** 2 / 2;
  }
  return {
    padded: rowsOf(lengths.length),
    packed: rowsOf(packedRows(lengths)),
    varlen: cost.iterationSeconds(exact),
  };
}

export const prepacking: RowCheck = {
  id: 'prepacking',
  title: 'Prepacking: several prompts in a row',
  asks: 'How much of a padded batch is padding, and how much of it does packing win back?',
  rule: `A padded batch of k prompts costs k rows of the longest, L. Packing sorts prompts by length and puts each in the first row of L that still has room; the mask keeps them apart, and positions start again at each.
Rows fall from k to about the sum of lengths / L. Afterwards the KV is unpacked for decoding.
A kernel for variable lengths has no padding to begin with: against it nothing is won.`,
  evidence: 'abstract',
  *run(seed) {
    const counts = [8, 16, 32, 64];
    const sigmas = [0, 0.3, 0.6, 0.9, 1.2];
    const table = new Map<number, { speedUp: number[]; bound: number[]; varlen: number[] }>();
    for (const [i, count] of counts.entries()) {
      const speedUp: number[] = [];
      const bound: number[] = [];
      const varlen: number[] = [];
      for (const sigma of sigmas) {
        let gain = 0;
        let most = 0;
        let against = 0;
        const random = createRandom(seed).fork(`${count} of ${sigma}`);
        for (let trial = 0; trial < TRIALS; trial++) {
          const lengths = Array.from({ length: count }, () => {
            const tokens = Math.round(MEDIAN_TOKENS * Math.exp(sigma * random.normal()));
            return Math.min(LONGEST_TOKENS, Math.max(1, tokens));
          });
          const time = seconds(lengths);
          const sum = lengths.reduce((a, b) => a + b, 0);
          gain += time.padded / time.packed / TRIALS;
          most += (count * Math.max(...lengths)) / sum / TRIALS;
          against += time.varlen / time.packed / TRIALS;
        }
        speedUp.push(gain);
        bound.push(most);
        varlen.push(against);
      }
      table.set(count, { speedUp, bound, varlen });
      yield { fraction: (i + 1) / counts.length, phase: `${count} prompts` };
    }
    const heavy = sigmas.indexOf(0.9);
    const figures: CheckFigure[] = [
      ...[8, 64].map((count) => ({
        label: `prefill of ${count} prompts over padding, deviation 0.9`,
        value: table.get(count)?.speedUp[heavy] as number,
        unit: 'x',
        expected: { low: 1.6, high: 6 },
        source: 'an estimate of ours',
      })),
      {
        label: 'equal lengths, 64 prompts',
        value: table.get(64)?.speedUp[0] as number,
        unit: 'x',
        expected: { low: 0.999, high: 1.001 },
        source: 'no padding to win back',
      },
      {
        label: 'over a kernel for variable lengths, 64 prompts, deviation 0.9',
        value: table.get(64)?.varlen[heavy] as number,
        unit: 'x',
        expected: { low: 0.8, high: 1.05 },
        source: 'the rule itself: about 1, less what rows leave empty',
      },
      {
        label: 'padded tokens over tokens, 64 prompts, deviation 0.9',
        value: table.get(64)?.bound[heavy] as number,
        unit: 'x',
      },
    ];
    return {
      figures,
      series: [
        {
          title: 'prefill over a padded batch',
          xLabel: 'standard deviation of log length',
          yLabel: 'times',
          lines: counts.map((count) => ({
            name: `${count} prompts`,
            x: sigmas,
            y: table.get(count)?.speedUp ?? [],
          })),
        },
      ],
      notes: [
        SHARES_NOTE,
        `Llama 2 7B on an A100, log-normal prompts of median ${MEDIAN_TOKENS}, cut at ${LONGEST_TOKENS}, ${TRIALS} batches each; packed rows are computed with dense attention`,
      ],
    };
  },
};
