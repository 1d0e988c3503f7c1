import { median } from '../../../lib/gpu/measure';
import type { TestPage } from '../../browser/open-page';
import { browserSeconds, call, openBench, type Ready } from './drive';
import type { EngineName } from './engine';

const ENGINES: readonly EngineName[] = ['headroom', 'headroom-wasm'];
/** Groups of runs, each beside one of dense attention. */
const GROUPS = 3;
/** Runs of a sparse call beside one of dense attention, at most. */
const MOST_REPEATS = 20;

const window = (windowTokens: number) => ({
  name: `sliding window ${windowTokens}`,
  variant: { type: 'sliding-window', windowTokens },
});
const selection = (name: string, select: object) => ({ name, variant: { type: 'causal' }, select });

const CALLS = [
  { name: 'causal', variant: { type: 'causal' } },
  ...[1024, 512, 256, 205, 128, 104].map(window),
  selection('a-shape 64 + 256', { type: 'a-shape', sinkTokens: 64, windowTokens: 256 }),
  selection('block-sparse 16', { type: 'block-sparse', topBlocks: 16 }),
  selection('block-sparse 8', { type: 'block-sparse', topBlocks: 8 }),
  selection('block-sparse 4', { type: 'block-sparse', topBlocks: 4 }),
  selection('moba 4 x 64', { type: 'moba', topBlocks: 4, blockTokens: 64 }),
  selection('vertical-slash', { type: 'vertical-slash' }),
  selection('quest', { type: 'quest' }),
  selection('flexprefill', { type: 'flexprefill' }),
  selection('xattention 0.9', { type: 'xattention', share: 0.9 }),
] as const;

interface SparseSample {
  readonly engine: EngineName;
  readonly call: string;
  readonly detail: string;
  readonly density: number;
  readonly blockDensity: number;
  /** Attention alone, processor time of one run, median of the groups. */
  readonly milliseconds: number;
  /** (dense time / time) x density: 1 where time falls as the density does. */
  readonly efficiency: number;
  /** The same of the blocks that the mask touches: what their shape costs is left out. */
  readonly blockEfficiency: number;
  /** Block list, masks and upload, wall time, once per call. */
  readonly prepareMilliseconds: number;
  readonly selectionMilliseconds: number;
  readonly efficiencyWithSelection: number;
  readonly withinTolerance: boolean;
}

async function millisecondsOf(page: TestPage, runs: number): Promise<number> {
  const before = browserSeconds();
  const wall = await call<number[]>(page, 'sample', runs);
  const after = browserSeconds();
  return before === undefined || after === undefined
    ? median(wall)
    : ((after - before) / runs) * 1000;
}

/**
 * Density against time: our engines over masks and selections, with the attention alone and with
 * the selection's time added. Processor time of the whole browser. Groups of runs of the call and of
 * dense attention take turns, and the median of their ratios counts: what else the machine does
 * comes and goes for both.
 */
export async function benchSparse(
  options: {
    readonly tokens: number;
    readonly calls: string;
    readonly engines: readonly EngineName[];
    readonly queryHeads: number;
    readonly kvHeads: number;
    readonly headSize: number;
    readonly runs: number;
  },
  say: (line: string) => void,
) {
  const { tokens, calls, queryHeads, kvHeads, headSize, runs } = options;
  const shape = { batch: 1, queryHeads, kvHeads, queries: tokens, keys: tokens, headSize };
  const samples: SparseSample[] = [];
  for (const engine of ENGINES.filter((each) => options.engines.includes(each))) {
    const densePage = await openBench();
    const page = await openBench();
    try {
      const dense = { shape, variant: { type: 'dense' } };
      await call<Ready>(densePage, 'prepare', engine, dense);
      await call(densePage, 'sample', 1);
      for (const { name, ...rest } of CALLS.filter((each) => each.name.includes(calls))) {
        const ready = await call<Ready>(page, 'prepare', engine, { shape, ...rest });
        await call(page, 'sample', 1);
        // About as long as the dense group: the system counts processor time in steps of 4 ms.
        const callRuns = Math.ceil((runs / 2) * Math.min(1 / ready.density, MOST_REPEATS));
        const ratios: number[] = [];
        const each: number[] = [];
        for (let group = 0; group < GROUPS; group++) {
          const denseMilliseconds = await millisecondsOf(densePage, Math.ceil(runs / 2));
          each.push(await millisecondsOf(page, callRuns));
          ratios.push(denseMilliseconds / (each.at(-1) as number));
        }
        const { withinTolerance } = await call<{ withinTolerance: boolean }>(page, 'check');
        const milliseconds = median(each);
        const speedup = median(ratios);
        const { detail, density, blockDensity, prepareMilliseconds, selectionMilliseconds } = ready;
        const sample: SparseSample = {
          engine,
          call: name,
          detail,
          density,
          blockDensity,
          milliseconds,
          efficiency: speedup * density,
          blockEfficiency: speedup * blockDensity,
          prepareMilliseconds,
          selectionMilliseconds,
          efficiencyWithSelection:
            (speedup * density * milliseconds) / (milliseconds + selectionMilliseconds),
          withinTolerance,
        };
        samples.push(sample);
        say(
          `${engine.padEnd(14)} ${name.padEnd(20)} density ${density.toFixed(3)}  ${milliseconds.toFixed(1).padStart(8)} ms  efficiency ${sample.efficiency.toFixed(2)}, of its blocks ${sample.blockEfficiency.toFixed(2)}, with selection (${selectionMilliseconds.toFixed(0)} ms) ${sample.efficiencyWithSelection.toFixed(2)}  list and upload ${prepareMilliseconds.toFixed(0)} ms  ${withinTolerance ? 'correct' : 'WRONG'}  ${detail}`,
        );
      }
    } finally {
      await page.close();
      await densePage.close();
    }
  }
  return { shape, runs, groups: GROUPS, date: new Date().toISOString(), samples };
}
