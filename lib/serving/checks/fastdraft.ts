import { HARDWARE } from '../presets/hardware';
import { MODELS } from '../presets/models';
import { expectedTokens, speculativeCostModel } from '../transforms/speculation';
import { batchOf, CLAIM, checkRoofline, SHARES_NOTE } from './cost-parts';
import type { CheckFigure, CheckSeries, RowCheck } from './types';

const MODEL = MODELS['llama-3.1-8b'];
const CONTEXT = 1024;
const BATCHES = [1, 2, 4, 8, 16, 32, 64, 128, 256] as const;
const LENGTHS = [1, 2, 3, 4, 5, 6, 8, 10] as const;
/** A draft of 150 million parameters over a target of 8 billion, by the weights that a step reads. */
const DRAFT_COST = 0.15 / 8;

/** Best speed-up over all draft lengths, and the length. */
function bestGain(hardware: keyof typeof HARDWARE, batch: number, acceptance: number) {
  const cost = checkRoofline(MODEL, HARDWARE[hardware]);
  const features = batchOf({ decodes: batch, contextTokens: CONTEXT });
  const plain = cost.iterationSeconds(features);
  const gains = LENGTHS.map((draftTokens) => {
    const speculation = { draftTokens, acceptance, acceptances: [], draftCost: DRAFT_COST };
    return plain / speculativeCostModel(cost, cost, speculation).iterationSeconds(features);
  });
  const gain = Math.max(...gains);
  return { gain, draftTokens: LENGTHS[gains.indexOf(gain)] as number };
}

export const fastdraft: RowCheck = {
  id: 'fastdraft',
  title: 'FastDraft: what a small draft gives, by acceptance and batch',
  asks: 'When does drafting with a model of 150 million parameters pay?',
  rule: `k tokens are drafted, and the target verifies all k + 1 in one pass: (1 - a^(k+1)) / (1 - a) tokens a step for an acceptance a.
Speed-up = tokens x t(B) / (k x draft + t(B (k + 1))).
Beside one request the verified tokens are almost free, since weights are read once; in a large batch they are arithmetic like any other, and a longer context helps again because its KV is read once for all k + 1.`,
  evidence: 'abstract',
  *run() {
    const lines: { name: string; x: number[]; y: number[] }[] = [];
    for (const acceptance of [0.6, 0.7, 0.8, 0.9]) {
      lines.push({
        name: `acceptance ${acceptance}`,
        x: [...BATCHES],
        y: BATCHES.map((batch) => bestGain('a100-80g', batch, acceptance).gain),
      });
      yield { fraction: acceptance, phase: `acceptance ${acceptance}` };
    }
    const one = bestGain('a100-80g', 1, 0.7);
    const figures: CheckFigure[] = [
      {
        label: 'tokens a step, 4 drafted at an acceptance of 0.7',
        value: expectedTokens({ draftTokens: 4, acceptance: 0.7, acceptances: [], draftCost: 0 }),
        unit: 'tokens',
        expected: { low: 2.7731, high: 2.7732 },
        source: '(1 - 0.7^5) / (1 - 0.7)',
      },
      {
        label: `best gain at a batch of 1, acceptance 0.7 (${one.draftTokens} drafted)`,
        value: one.gain,
        unit: 'x',
        expected: { low: 2, high: 3 },
        source: `up to 3 on code and 2 elsewhere is the ${CLAIM}`,
      },
      ...([32, 128, 256] as const).map((batch) => ({
        label: `best gain at a batch of ${batch}, acceptance 0.7`,
        value: bestGain('a100-80g', batch, 0.7).gain,
        unit: 'x',
        ...(batch === 32
          ? { expected: { low: 0.9, high: 1.2 }, source: 'an estimate of ours' }
          : {}),
      })),
      {
        label: 'best gain at a batch of 32, acceptance 0.7, RTX 4090',
        value: bestGain('rtx-4090', 32, 0.7).gain,
        unit: 'x',
      },
    ];
    const series: CheckSeries = {
      title: 'best gain by batch, over all draft lengths',
      xLabel: 'decodes in a batch',
      yLabel: 'times plain decoding',
      lines,
    };
    return {
      figures,
      series: [series],
      notes: [
        SHARES_NOTE,
        `Llama 3.1 8B on an A100, contexts of ${CONTEXT}, a draft at ${DRAFT_COST.toFixed(4)} of a target step, the best of ${LENGTHS.join(', ')} drafted tokens`,
        'expected above the band at a batch of 32: on a data-centre accelerator 160 verified tokens only just reach the arithmetic that weights leave idle; the estimate is of machines with far less arithmetic for their bandwidth',
      ],
    };
  },
};
