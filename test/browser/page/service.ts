import { proxy, type Remote, wrap } from 'comlink';
import type { ComposeResult } from '../../../lib/attention/compose/result';
import type { DecodeResult } from '../../../lib/attention/decode/result';
import { makeInputs } from '../../../lib/attention/inputs';
import { applyPreset, STORAGE_PRESETS } from '../../../lib/attention/quantise/presets';
import type { RecurrentResult } from '../../../lib/attention/recurrent/result';
import type { AttentionResult } from '../../../lib/attention/types';
import { createKernelService, type KernelService } from '../../../lib/gpu/kernel-service';
import type { Progress } from '../../../lib/run/types';
import type { OnProgress } from '../../../lib/run/worker-api';
import { type AttentionParams, attentionParams } from '../../../lib/spec/kinds/attention';
import { composeParams } from '../../../lib/spec/kinds/compose';
import { decodeParams } from '../../../lib/spec/kinds/decode';
import { recurrentParams } from '../../../lib/spec/kinds/recurrent';

let remote: Remote<KernelService> | undefined;

/** The worker that the page uses, bundled as it is. */
export function kernel(): Remote<KernelService> {
  remote ??= wrap<KernelService>(new Worker('/kernel.worker.js', { type: 'module' }));
  return remote;
}

const parse = (params: unknown): AttentionParams => attentionParams.parse(params);
async function attention(
  jobId: number,
  params: unknown,
  onProgress: OnProgress,
): Promise<AttentionResult> {
  const call = { kind: 'attention', params: parse(params) } as const;
  const { value } = await kernel().run(jobId, call, onProgress);
  return value as AttentionResult;
}
const sentence = (error: unknown) =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);

/** An attention call through the worker, with its progress reports. */
export async function serviceAttention(params: unknown) {
  const reports: (Progress & { readonly at: number })[] = [];
  const onProgress = proxy((progress: Progress) => {
    reports.push({ ...progress, at: performance.now() });
  });
  try {
    return { result: await attention(1, params, onProgress), reports };
  } catch (error) {
    return { error: sentence(error), reports };
  }
}

/** A composition through the worker. */
export async function serviceCompose(params: unknown) {
  try {
    const call = { kind: 'compose', params: composeParams.parse(params) } as const;
    const { value } = await kernel().run(
      6,
      call,
      proxy(() => undefined),
    );
    return { result: value as ComposeResult };
  } catch (error) {
    return { error: sentence(error) };
  }
}

/** A recurrent call through the worker. */
export async function serviceRecurrent(params: unknown) {
  try {
    const call = { kind: 'recurrent', params: recurrentParams.parse(params) } as const;
    const { value } = await kernel().run(
      5,
      call,
      proxy(() => undefined),
    );
    return { result: value as RecurrentResult };
  } catch (error) {
    return { error: sentence(error) };
  }
}

/** A decode call through the worker, with a preset's storages where one is named. */
export async function serviceDecode(params: unknown, presetId?: string) {
  try {
    const parsed = decodeParams.parse(params);
    const preset = STORAGE_PRESETS.find(({ id }) => id === presetId);
    const call = {
      kind: 'decode',
      params: preset === undefined ? parsed : decodeParams.parse(applyPreset(parsed, preset)),
    } as const;
    const { value } = await kernel().run(
      6,
      call,
      proxy(() => undefined),
    );
    return { result: value as DecodeResult };
  } catch (error) {
    return { error: sentence(error) };
  }
}

/** How a decode call ends that is cancelled in the phase whose name ends so, and whether the next one is right. */
export async function cancelDecode(params: unknown, phaseEnd: string) {
  const call = { kind: 'decode', params: decodeParams.parse(params) } as const;
  const onProgress = proxy(({ phase }: Progress) => {
    if (phase.endsWith(phaseEnd)) void kernel().cancel(7);
  });
  const ended = await kernel()
    .run(7, call, onProgress)
    .then(() => 'done', sentence);
  const next = await serviceDecode({ ...call.params, timedRuns: 1 });
  return {
    ended,
    next: next.result?.storages.map(({ kernelError }) => kernelError?.withinTolerance),
  };
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
  const job = attention(2, params, onProgress);
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
    const result = await attention(3, params, onProgress);
    return { isLost, result };
  } catch (error) {
    return { isLost, error: sentence(error) };
  }
}

/** Base reduction and an exact window over the worker, from resident tensors. */
export async function serviceMaps(params: unknown, head: number) {
  const parsed = parse(params);
  const call = { kind: 'attention', params: parsed } as const;
  const base = await kernel().mapBase(4, call, 0, head);
  const rect = { queryStart: 3, queryEnd: 20, keyStart: 0, keyEnd: 30 };
  const window = await kernel().mapWindow(5, call, 0, head, rect);
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
    await poisoned.run(1, { kind: 'attention', params: parse(params) }, () => undefined);
    return 'no error';
  } catch (error) {
    return sentence(error);
  }
}
