import { referenceSteps } from '../attention/reference';
import { driveSteps } from './jobs';
import { packBlockList } from './packed-list';
import { NO_ROOF } from './roof';
import { type AttentionRun, densityOf, listSummary, type RunContext } from './run-context';

const CPU_BLOCK = 64;

/** Runs the f64 reference on the CPU, once. */
export async function runOnCpu(context: RunContext): Promise<AttentionRun> {
  const { params, inputs, signal, report } = context;
  const start = performance.now();
  const output = await driveSteps(referenceSteps(inputs), signal, (fraction) =>
    report({ fraction, phase: 'timing' }),
  );
  const seconds = (performance.now() - start) / 1000;
  const list = packBlockList(inputs, CPU_BLOCK, CPU_BLOCK, params.shape.queryHeads);
  const { flops, ...density } = densityOf(context, list);
  return {
    result: {
      params,
      engine: 'cpu',
      engineNote: undefined,
      adapter: undefined,
      plan: undefined,
      error: undefined,
      timing: {
        medianSeconds: seconds,
        samplesSeconds: [seconds],
        warmupRuns: 0,
        clock: 'performance.now',
        flops,
        gigaflopsPerSecond: flops / seconds / 1e9,
      },
      ...NO_ROOF,
      density,
      selection: context.selection,
      blockList: listSummary(list, CPU_BLOCK, CPU_BLOCK),
      notes: ['the CPU reference computes in f64 and runs once; it is not a tuned CPU kernel'],
    },
    output,
    resident: { inputs, ...output, device: undefined },
  };
}
