import { runCompose } from '../../../lib/gpu/run-compose';
import type { AttentionRun } from '../../../lib/gpu/run-context';
import { runOnCpu } from '../../../lib/gpu/run-on-cpu';
import { runOnWasm } from '../../../lib/gpu/run-on-wasm';
import { type ComposeParams, composeParams } from '../../../lib/spec/kinds/compose';

/** A composition on the CPU, by the engine of its params, and what every call put out. */
export async function composeHere(params: unknown) {
  const parsed = composeParams.parse(params);
  const runs: AttentionRun[] = [];
  const result = await runCompose(parsed, {
    runCall: async (context) => {
      const run = await (parsed.engine === 'wasm'
        ? runOnWasm(context, undefined, undefined)
        : runOnCpu(context));
      runs.push(run);
      return run;
    },
    maxBufferBytes: 2 ** 30,
    signal: new AbortController().signal,
    report: () => undefined,
  });
  return { result, runs };
}

/** Sizes that a test can pay for in f64, ragged on purpose. */
export const SMALL = {
  shape: { queryHeads: 4, kvHeads: 2, queries: 70, keys: 70, headSize: 16 },
  engine: 'cpu',
  timedRuns: 1,
} as const;

export const sum = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((a, b) => a + b, 0);

export type { ComposeParams };
