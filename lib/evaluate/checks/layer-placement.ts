import { about, arm, compared, SOURCES } from './make';
import { runArms } from './run-arms';
import type { Arm, CacheCheck, Measured } from './types';

/** Half of the shipped model's four layers; the paper keeps a third of many. */
const SHARE = 0.5;

/** Every choice of `count` of `layers`, in order. */
export function placements(layers: number, count: number): readonly (readonly number[])[] {
  const all: number[][] = [];
  const extend = (chosen: readonly number[], next: number) => {
    if (chosen.length === count) all.push([...chosen]);
    else for (let layer = next; layer < layers; layer++) extend([...chosen, layer], layer + 1);
  };
  extend([], 0);
  return all;
}

const nameOf = (full: readonly number[]) => `full layers ${full.join(' and ')}`;

const placed = (full: readonly number[]): Arm =>
  arm('duo-attention', SHARE, {
    task: 'passkey',
    variant: nameOf(full),
    policyOptions: ({ config }) => ({
      gates: Array.from({ length: config.layers }, (_, layer) =>
        Array.from({ length: config.kvHeads }, () => (full.includes(layer) ? 1 : 0)),
      ),
    }),
  });

/** Hybrids of full and window layers, without the tuning that goes with them. */
export const PLACEMENT_CHECKS: readonly CacheCheck[] = [
  {
    id: 'longgen',
    title: 'longgen: which half of the layers keeps the whole context',
    asks: 'Does it matter which layers keep full attention where the others see sinks and a window?',
    rule: 'From memory of the paper: full layers belong in the middle. A model that was not tuned for it can only tell which of its layers it needs.',
    evidence: 'unverified',
    *run(ground) {
      const { layers } = ground.model.config;
      const all = placements(layers, Math.round(SHARE * layers));
      const { measured, lines } = yield* runArms(
        ground,
        all.map((full) => [nameOf(full), () => placed(full)] as const),
      );
      const at = (isWanted: (full: readonly number[]) => boolean) => {
        const index = all.findIndex(isWanted);
        return [nameOf(all[index]!), measured[index] as Measured] as const;
      };
      const first = Math.floor((layers - Math.round(SHARE * layers)) / 2);
      const middle = at((full) => full.every((layer, i) => layer === first + i));
      const lowest = at((full) => full.every((layer, i) => layer === i));
      const order = all
        .map((full, i) => [nameOf(full), measured[i] as Measured] as const)
        .sort(([, a], [, b]) => b.accuracy - a.accuracy);
      const best = order[0]!;
      const worst = order.at(-1)!;
      return {
        figures: [
          compared('accuracy', middle, lowest, 0, SOURCES.unverified),
          {
            label: 'accuracy, best placement less worst',
            value: 100 * (best[1].accuracy - worst[1].accuracy),
            unit: '%',
            expected: { low: 0 },
            source: SOURCES.arithmetic,
          },
          ...all.flatMap((full, i) => about(nameOf(full), measured[i] as Measured)),
        ],
        series: [],
        notes: [
          `best: ${best[0]}; worst: ${worst[0]}`,
          'heads of a full layer have gate 1, the others 0: every placement keeps as many slots',
          ...lines,
        ],
      };
    },
  },
];
