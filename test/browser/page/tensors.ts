import { proxy } from 'comlink';
import type { AttentionResult } from '../../../lib/attention/types';
import type { Progress } from '../../../lib/run/types';
import type { AttentionCall } from '../../../lib/run/worker-api';
import { attentionParams } from '../../../lib/spec/kinds/attention';
import { readTensorHeader } from '../../../lib/tensors/header';
import { kernel } from './service';

const quiet = () => proxy(() => undefined);

async function bytesByName(file: Blob): Promise<Map<string, Uint8Array>> {
  const { tensors } = await readTensorHeader(file);
  const bytes = new Map<string, Uint8Array>();
  for (const { name, start, end } of tensors.values())
    bytes.set(name, new Uint8Array(await file.slice(start, end).arrayBuffer()));
  return bytes;
}

const fileCall = (params: object, file: File): AttentionCall => ({
  kind: 'attention',
  params: attentionParams.parse({ ...params, inputs: { source: 'file' } }),
  file,
});

/** Runs seeded inputs, exports them, runs the export: names of tensors whose bytes differ, and the second result's notes. */
export async function tensorRoundTrip(params: object) {
  const first = { kind: 'attention', params: attentionParams.parse(params) } as const;
  await kernel().run(11, first, quiet());
  const exported = await kernel().tensors(12, first, quiet());
  const call = fileCall(params, new File([exported], 'export.safetensors', { lastModified: 1 }));
  const { value } = await kernel().run(13, call, quiet());
  const before = await bytesByName(exported);
  const after = await bytesByName(await kernel().tensors(14, call, quiet()));
  const differing = [...before].filter(([name, bytes]) => {
    const other = after.get(name);
    return other?.length !== bytes.length || bytes.some((byte, i) => byte !== other[i]);
  });
  const { notes, engine } = value as AttentionResult;
  return { names: [...before.keys()], differing: differing.map(([name]) => name), notes, engine };
}

/** Maps of two files of one name and size, neither of which has run: first row's probability at key 0 .. 1. */
export async function mapsOfTwoFiles(params: object) {
  const synthetic = (seed: number) =>
    ({ kind: 'attention', params: attentionParams.parse({ ...params, seed }) }) as const;
  const probabilities: number[][] = [];
  for (const seed of [21, 22]) {
    const exported = await kernel().tensors(15, synthetic(seed), quiet());
    const file = new File([exported], 'same.safetensors', { lastModified: seed });
    const rect = { queryStart: 9, queryEnd: 10, keyStart: 0, keyEnd: 10 };
    const expected = await kernel().mapWindow(16, synthetic(seed), 0, 1, rect);
    const window = await kernel().mapWindow(17, fileCall(params, file), 0, 1, rect);
    probabilities.push([...expected.probabilities], [...window.probabilities]);
  }
  return probabilities;
}

/** A base and an exact window of a long map: seconds of each, reports, and what the window's rows sum to. */
export async function longMap(params: object) {
  const call = { kind: 'attention', params: attentionParams.parse(params) } as const;
  const { queries, keys } = call.params.shape;
  let start = performance.now();
  const seconds = () => {
    const now = performance.now();
    const passed = (now - start) / 1000;
    start = now;
    return passed;
  };
  await kernel().run(18, call, quiet());
  const runSeconds = seconds();
  const reports: number[] = [];
  const onProgress = proxy(({ fraction }: Progress) => {
    if (fraction !== undefined) reports.push(fraction);
  });
  const base = await kernel().mapBase(19, call, 0, 0, onProgress);
  const baseSeconds = seconds();
  // The mean over a row of cells, times its keys, is the mean row sum of its queries.
  let mass = 0;
  for (let c = 0; c < base.columns; c++) {
    const at = (base.rows - 1) * base.columns + c;
    mass += (base.mean[at] ?? 0) || 0;
  }
  const rect = { queryStart: queries - 4, queryEnd: queries, keyStart: keys - 512, keyEnd: keys };
  const { probabilities } = await kernel().mapWindow(20, call, 0, 0, rect);
  const windowSeconds = seconds();
  return {
    runSeconds,
    baseSeconds,
    windowSeconds,
    reports,
    rows: base.rows,
    columns: base.columns,
    lastRowMass: (mass * keys) / base.columns,
    finite: probabilities.filter((p) => p >= 0 && p <= 1.0001).length,
  };
}

/** Milliseconds from a cancel to the end of a map's base, which is under way. */
export async function cancelMap(params: object) {
  const call = { kind: 'attention', params: attentionParams.parse(params) } as const;
  let started: () => void = () => undefined;
  const isUnderWay = new Promise<void>((resolve) => {
    started = resolve;
  });
  const onProgress = proxy(({ phase }: Progress) => {
    if (phase === 'map') started();
  });
  const job = kernel().mapBase(21, call, 0, 0, onProgress);
  await Promise.race([isUnderWay, job]);
  const start = performance.now();
  void kernel().cancel(21);
  const error = await job.then(
    () => undefined,
    (reason: Error) => reason.name,
  );
  return { error, milliseconds: performance.now() - start };
}
