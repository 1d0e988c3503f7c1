import { proxy, type Remote, wrap } from 'comlink';
import { makeInputs } from '../../../lib/attention/inputs';
import { createKernelService, type KernelService } from '../../../lib/gpu/kernel-service';
import type { Progress } from '../../../lib/run/types';
import { type AttentionParams, attentionParams } from '../../../lib/spec/kinds/attention';
import { recurrentParams } from '../../../lib/spec/kinds/recurrent';

let remote: Remote<KernelService> | undefined;

/** The worker that the page uses, bundled as it is. */
function kernel(): Remote<KernelService> {
  remote ??= wrap<KernelService>(new Worker('/kernel.worker.js', { type: 'module' }));
  return remote;
}

const parse = (params: unknown): AttentionParams => attentionParams.parse(params);
const sentence = (error: unknown) =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);

/** An attention call through the worker, with its progress reports. */
export async function serviceAttention(params: unknown) {
  const reports: (Progress & { readonly at: number })[] = [];
  const onProgress = proxy((progress: Progress) => {
    reports.push({ ...progress, at: performance.now() });
  });
  try {
    return { result: await kernel().attention(1, parse(params), onProgress), reports };
  } catch (error) {
    return { error: sentence(error), reports };
  }
}

/** A recurrent call through the worker. */
export async function serviceRecurrent(params: unknown) {
  try {
    const result = await kernel().recurrent(
      5,
      recurrentParams.parse(params),
      proxy(() => undefined),
    );
    return { result };
  } catch (error) {
    return { error: sentence(error) };
  }
}

/** Milliseconds from cancel to rejection, `afterMilliseconds` into the first of the phases. */
export async function cancelLatency(
  params: unknown,
  afterMilliseconds: number,
  phases: readonly string[] = ['warm-up', 'timing'],
) {
  let started: () => void = () => undefined;
  const isTiming = new Promise<void>((resolve) => {
    started = resolve;
  });
  const onProgress = proxy(({ phase }: Progress) => {
    if (phases.includes(phase)) started();
  });
  const job = kernel().attention(2, parse(params), onProgress);
  await Promise.race([isTiming, job.then(() => undefined)]);
  await new Promise((resolve) => setTimeout(resolve, afterMilliseconds));
  const start = performance.now();
  void kernel().cancel(2);
  try {
    await job;
    return { error: undefined, milliseconds: performance.now() - start };
  } catch (error) {
    return { error: sentence(error), milliseconds: performance.now() - start };
  }
}

/** Destroys the device in the middle of the timed runs; the job should come back with a note. */
export async function attentionWithLoss(params: unknown) {
  let isLost = false;
  const onProgress = proxy(({ phase }: Progress) => {
    if (phase !== 'timing' || isLost) return;
    isLost = true;
    void kernel().loseDevice();
  });
  try {
    const result = await kernel().attention(3, parse(params), onProgress);
    return { isLost, result };
  } catch (error) {
    return { isLost, error: sentence(error) };
  }
}

/** Base reduction and an exact window over the worker, from resident tensors. */
export async function serviceMaps(params: unknown, head: number) {
  const parsed = parse(params);
  const base = await kernel().mapBase(4, parsed, 0, head);
  const rect = { queryStart: 3, queryEnd: 20, keyStart: 0, keyEnd: 30 };
  const window = await kernel().mapWindow(5, parsed, 0, head, rect);
  const { queries, keys } = parsed.shape;
  let rowSum = 0;
  for (let k = 0; k < 30; k++) rowSum += window.probabilities[k] || 0;
  return { rows: base.rows, columns: base.columns, queries, keys, rowSum };
}

/** A service whose inputs hold one NaN; the sentence it fails with. */
export async function nanInput(params: unknown): Promise<string> {
  const poisoned = createKernelService({
    makeInputs: (each) => {
      const inputs = makeInputs(each);
      inputs.key[5] = Number.NaN;
      return inputs;
    },
  });
  try {
    await poisoned.attention(1, parse(params), () => undefined);
    return 'no error';
  } catch (error) {
    return sentence(error);
  }
}
