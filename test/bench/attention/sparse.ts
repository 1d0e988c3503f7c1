import type { TestPage } from '../../browser/open-page';
import { browserSeconds, call, openBench, type Ready } from './drive';
import type { EngineName } from './engine';

const TOKENS = 2048;
const ENGINES: readonly EngineName[] = ['headroom', 'headroom-wasm'];
/** Groups of runs of which the least disturbed counts. */
const GROUPS = 3;

const window = (windowTokens: number) => ({
  name: `sliding window ${windowTokens}`,
  variant: { type: 'sliding-window', windowTokens },
});
const selection = (name: string, select: object) => ({ name, variant: { type: 'causal' }, select });

/** The dense call comes first: the others are measured against it. */
const CALLS = [
  { name: 'dense', variant: { type: 'dense' } },
  { name: 'causal', variant: { type: 'causal' } },
  ...[1024, 512, 256, 128, 104].map(window),
  selection('a-shape 64 + 256', { type: 'a-shape', sinkTokens: 64, windowTokens: 256 }),
  selection('block-sparse 16', { type: 'block-sparse', topBlocks: 16 }),
  selection('block-sparse 4', { type: 'block-sparse', topBlocks: 4 }),
  selection('moba 4 x 64', { type: 'moba', topBlocks: 4, blockTokens: 64 }),
  selection('xattention 0.9', { type: 'xattention', share: 0.9 }),
] as const;

interface SparseSample {
  readonly engine: EngineName;
  readonly call: string;
  readonly density: number;
  readonly blockDensity: number;
  /** Attention alone, processor time of one run. */
  readonly milliseconds: number;
  /** (dense time / time) x density: 1 where time falls as the density does. */
  readonly efficiency: number;
  /** The same of the blocks that the mask touches: what their shape costs is left out. */
  readonly blockEfficiency: number;
  readonly selectionMilliseconds: number;
  readonly efficiencyWithSelection: number;
  readonly withinTolerance: boolean;
}

async function leastMilliseconds(page: TestPage, runs: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let group = 0; group < GROUPS; group++) {
    const before = browserSeconds();
    const wall = await call<number[]>(page, 'sample', runs);
    const after = browserSeconds();
    const each =
      before === undefined || after === undefined
        ? Math.min(...wall)
        : ((after - before) / runs) * 1000;
    least = Math.min(least, each);
  }
  return least;
}

/**
 * Density against time: our engines over masks and selections, with the attention alone and with
 * the selection's time added. Processor time of the whole browser, the least of a few groups.
 */
export async function benchSparse(
  options: {
    readonly heads: number;
    readonly kvHeads: number;
    readonly headSize: number;
    readonly runs: number;
  },
  say: (line: string) => void,
) {
  const { heads, kvHeads, headSize, runs } = options;
  const shape = { batch: 1, queryHeads: heads, kvHeads, queries: TOKENS, keys: TOKENS, headSize };
  const samples: SparseSample[] = [];
  for (const engine of ENGINES) {
    const page = await openBench();
    try {
      let dense: number | undefined;
      for (const { name, ...rest } of CALLS) {
        const ready = await call<Ready>(page, 'prepare', engine, { shape, ...rest });
        await call(page, 'sample', 1);
        const milliseconds = await leastMilliseconds(page, runs);
        const { withinTolerance } = await call<{ withinTolerance: boolean }>(page, 'check');
        dense ??= milliseconds;
        const { density, blockDensity, selectionMilliseconds } = ready;
        const sample: SparseSample = {
          engine,
          call: name,
          density,
          blockDensity,
          milliseconds,
          efficiency: (dense / milliseconds) * density,
          blockEfficiency: (dense / milliseconds) * blockDensity,
          selectionMilliseconds,
          efficiencyWithSelection: (dense / (milliseconds + selectionMilliseconds)) * density,
          withinTolerance,
        };
        samples.push(sample);
        say(
          `${engine.padEnd(14)} ${name.padEnd(20)} density ${density.toFixed(3)}  ${milliseconds.toFixed(1).padStart(8)} ms  efficiency ${sample.efficiency.toFixed(2)}, of its blocks ${sample.blockEfficiency.toFixed(2)}, with selection (${selectionMilliseconds.toFixed(0)} ms) ${sample.efficiencyWithSelection.toFixed(2)}  ${withinTolerance ? 'correct' : 'WRONG'}`,
        );
      }
    } finally {
      await page.close();
    }
  }
  return { shape, runs, groups: GROUPS, date: new Date().toISOString(), samples };
}
