import { type CheckCellResult, runCheck } from '../serving/checks/run-check';
import { createSimulation } from '../serving/core/simulation';
import { makeCostModel } from '../serving/cost/make-cost-model';
import { createTraceRun } from '../serving/trace/trace-run';
import type { RequestTrace } from '../serving/trace/types';
import type { ServeResult } from '../serving/types';
import type { CheckParams } from '../spec/kinds/check';
import type { ServeParams } from '../spec/kinds/serve';
import { isGenerated, type WorkloadParams } from '../spec/kinds/workload';
import { generatedSteps } from '../workload/generated';
import { statisticsSteps } from '../workload/statistics';
import { overall, type WorkloadProgress } from '../workload/steps';
import { createWorkloadParser } from '../workload/trace';
import type { Workload } from '../workload/types';
import { finishSliced, nextTask, runSliced, throwIfAborted } from './sliced';
import type { OnProgress } from './worker-api';

const PROGRESS_MILLISECONDS = 100;
const MAX_TABLE_BYTES = 256 * 2 ** 20;

/** Passes progress on at most ten times a second. */
export function throttled(onProgress: OnProgress): OnProgress {
  let last = -Infinity;
  return (progress) => {
    const now = performance.now();
    if (now - last < PROGRESS_MILLISECONDS) return;
    last = now;
    onProgress(progress);
  };
}

/**
 * Builds a workload: draws it, or streams the bound file through its parser; then its statistics. All of
 * it in slices, so that cancel is heard, with the phase and how far that is.
 * @throws Error naming the line and value of a malformed row, AbortError when cancelled
 */
export async function workloadJob(
  params: WorkloadParams,
  file: Blob | undefined,
  signal: AbortSignal,
  onProgress: OnProgress,
): Promise<Workload> {
  const { source } = params;
  const send = throttled(onProgress);
  const report = (progress: WorkloadProgress): void =>
    send({ phase: progress.phase, fraction: overall(progress) });
  const withStatistics = async (workload: Workload): Promise<Workload> => ({
    ...workload,
    statistics: await finishSliced(statisticsSteps(workload), signal, report),
  });
  if (isGenerated(source))
    return withStatistics(await finishSliced(generatedSteps(params, source), signal, report));
  if (file === undefined)
    throw new Error('no file is bound: choose a file of requests for this cell');
  const parser = createWorkloadParser(params, source);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const reader = file.stream().getReader();
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    throwIfAborted(signal);
    if (done || parser.isFull) break;
    bytes += value.length;
    parser.push(decode(decoder, value, bytes));
    report({ phase: 'reading', fraction: bytes / Math.max(1, file.size) });
    await nextTask();
  }
  await reader.cancel();
  return withStatistics(parser.finish());
}

function decode(decoder: TextDecoder, bytes: Uint8Array, at: number): string {
  try {
    return decoder.decode(bytes, { stream: true });
  } catch {
    throw new Error(`the file is not UTF-8 text (near byte ${at})`);
  }
}

/** Reads operator tables, plain or gzip JSON. */
export async function readTables(file: Blob): Promise<unknown> {
  const head = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  const isGzip = head[0] === 0x1f && head[1] === 0x8b;
  const stream = isGzip
    ? file.stream().pipeThrough(new DecompressionStream('gzip'))
    : file.stream();
  const chunks: BlobPart[] = [];
  let bytes = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.length;
    if (bytes > MAX_TABLE_BYTES) {
      await reader.cancel();
      throw new Error(`the operator tables are above ${MAX_TABLE_BYTES / 2 ** 20} MiB`);
    }
    chunks.push(value);
  }
  try {
    return JSON.parse(await new Blob(chunks).text());
  } catch {
    throw new Error('the operator tables are no JSON (expected .json or .json.gz)');
  }
}

/**
 * Simulates a serve cell in slices, so that cancel is heard.
 * @throws Error with one sentence (no fit, model too large, wrong tables), AbortError when cancelled
 */
export async function serveJob(
  params: ServeParams,
  workload: Workload,
  tables: Blob | undefined,
  signal: AbortSignal,
  onProgress: OnProgress,
): Promise<ServeResult> {
  const parsedTables = tables === undefined ? undefined : await readTables(tables);
  const simulation = createSimulation(params, workload, makeCostModel(params, parsedTables));
  const report = throttled(onProgress);
  await runSliced(simulation, signal, () => {
    const { fraction, simulatedSeconds } = simulation.progress();
    report({ fraction, phase: `simulated ${simulatedSeconds.toFixed(0)} s` });
  });
  return simulation.result();
}

/**
 * Runs a method's check in slices, so that cancel is heard.
 * @throws Error with one sentence, AbortError when cancelled
 */
export async function checkJob(
  params: CheckParams,
  signal: AbortSignal,
  onProgress: OnProgress,
): Promise<CheckCellResult> {
  return finishSliced(runCheck(params), signal, throttled(onProgress));
}

/**
 * Replays a serve cell to tell of one request.
 * @throws Error with one sentence, AbortError when cancelled
 */
export async function traceJob(
  params: ServeParams,
  workload: Workload,
  tables: Blob | undefined,
  requestId: number,
  signal: AbortSignal,
  onProgress: OnProgress,
): Promise<RequestTrace> {
  const parsedTables = tables === undefined ? undefined : await readTables(tables);
  const costModel = makeCostModel(params, parsedTables);
  const run = createTraceRun(params, workload, costModel, requestId);
  const report = throttled(onProgress);
  await runSliced(run, signal, () => {
    const { fraction, simulatedSeconds } = run.progress();
    report({ fraction, phase: `simulated ${simulatedSeconds.toFixed(0)} s` });
  });
  return run.result();
}

/** Buffers of a result, to be transferred and not copied. */
export function buffersOf(value: unknown): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  const visit = (part: unknown): void => {
    if (ArrayBuffer.isView(part)) {
      if (part.buffer instanceof ArrayBuffer) found.add(part.buffer);
    } else if (typeof part === 'object' && part !== null) {
      for (const field of Object.values(part)) visit(field);
    }
  };
  visit(value);
  return [...found];
}
