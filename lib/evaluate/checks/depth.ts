import { fitPredictor, type PredictionSource } from '../../cache/depth/predicted-kv';
import { about, arm, compared, SOURCES } from './make';
import { contextsOf } from './own-rows';
import { runArms } from './run-arms';
import type { CacheCheck, Measured } from './types';

const TASK = 'niah-multi-key-1';
const CONTEXT = 160;
const FIT_TEXTS = 8;
/** Texts that are fitted on are of another stream than those that are asked about. */
const FIT_SEED = 0x5f17;

let fitTexts: readonly (readonly number[])[] | undefined;

/** The same array every time: a fit is kept with its texts. */
function samples(): readonly (readonly number[])[] {
  fitTexts ??= contextsOf(TASK, CONTEXT, FIT_TEXTS, FIT_SEED);
  return fitTexts;
}

interface Predicted {
  readonly id: string;
  readonly asks: string;
  readonly rule: string;
  readonly source: PredictionSource;
}

/** Keys and values of upper layers made by a ridge fit: what it explains, and what it answers. */
function predicted({ id, asks, rule, source }: Predicted): CacheCheck {
  return {
    id,
    title: `${id} against full`,
    asks,
    rule,
    evidence: 'abstract',
    *run(ground) {
      const { layers } = ground.model.config;
      const runs = Array.from({ length: layers - 1 }, (_, i) => i + 1);
      const explained = runs.map((runLayers) =>
        fitPredictor(ground.model, samples(), { source, runLayers }).layers.at(-1),
      );
      const own = arm(id, 1, {
        variant: `fitted on ${FIT_TEXTS} other contexts`,
        policyOptions: () => ({ samples: samples() }),
      });
      const { measured, lines } = yield* runArms(ground, [
        [id, () => own],
        ['full', () => arm('full', 1)],
      ]);
      const [mine, its] = measured as [Measured, Measured];
      const half = explained[Math.ceil(layers / 2) - 1];
      return {
        figures: [
          compared('accuracy', [id, mine], ['full', its], 0.125, SOURCES.abstract),
          {
            label: 'variance of the last layer’s keys explained',
            value: 100 * (half?.keysExplained ?? 0),
            unit: '%',
          },
          {
            label: 'variance of the last layer’s values explained',
            value: 100 * (half?.valuesExplained ?? 0),
            unit: '%',
          },
          ...about(id, mine),
          ...about('full', its),
        ],
        series: [
          {
            title: 'variance of the last layer explained by a fit on lower ones',
            xLabel: 'layers that run',
            yLabel: 'explained, %',
            lines: [
              { name: 'keys', x: runs, y: explained.map((fit) => 100 * (fit?.keysExplained ?? 0)) },
              {
                name: 'values',
                x: runs,
                y: explained.map((fit) => 100 * (fit?.valuesExplained ?? 0)),
              },
            ],
          },
        ],
        notes: [...lines, 'explained variance is on the contexts of the fit'],
      };
    },
  };
}

/** Policies that skip layers of a prompt. */
export const DEPTH_CHECKS: readonly CacheCheck[] = [
  predicted({
    id: 'swiftkv',
    source: 'hidden',
    asks: 'Do keys and values of the upper half made from one hidden state still answer?',
    rule: 'The paper’s claim, after distillation: half of the prompt’s compute at little loss. A ridge fit stands for the distillation here.',
  }),
  predicted({
    id: 'kv-prediction',
    source: 'keys and values',
    asks: 'Do the lower half’s keys and values, mapped to the upper half, still answer?',
    rule: 'The paper’s claim, after training: much of the accuracy for a part of the prompt’s compute. A ridge fit stands for the training here.',
  }),
];
