import { checkShapeLimits } from '../attention/checks';
import { type DecodeCall, decodeCallSteps, entriesOf, partsOf } from '../attention/decode/call';
import {
  decodeError,
  kernelError,
  type ReferenceRows,
  referenceRows,
  rowsToCompare,
} from '../attention/decode/errors';
import { summarisePages } from '../attention/decode/pages';
import type { DecodeResult, StorageResult } from '../attention/decode/result';
import { type StoredTensor, storeTensor } from '../attention/decode/stored';
import { firstWord } from '../attention/decode/word';
import { tensorError } from '../attention/quantise/error';
import { placeUnderRoof, raisedRoof } from '../attention/roofline';
import type { AdapterRoof, AttentionInputs } from '../attention/types';
import type { OnProgress } from '../run/worker-api';
import type { CacheStorage, DecodeParams } from '../spec/kinds/decode';
import { decodeFlops } from './decode-reads';
import type { DecodeRunner, StoredCall, StoredRun } from './decode-runner';
import { driveSteps, yieldToMessages } from './jobs';
import { CHECK_FLOPS } from './run-context';

/**
 * One decode step over every storage of the params, on one engine: stored, run and timed, compared
 * with unquantised attention in f64 and with f64 attention over what the storage holds.
 *
 * @throws Error with a sentence where a tensor is above the engine's largest buffer
 */
export async function runDecode(
  params: DecodeParams,
  runner: DecodeRunner,
  signal: AbortSignal,
  report: OnProgress,
): Promise<DecodeResult> {
  const issues = checkShapeLimits(params.shape, runner.maxBufferBytes);
  if (issues.length > 0) throw new Error(issues.join('; '));
  report({ fraction: undefined, phase: 'inputs' });
  await yieldToMessages();
  signal.throwIfAborted();
  const call = await driveSteps(decodeCallSteps(params), signal, (fraction) =>
    report({ fraction, phase: 'inputs' }),
  );
  const rows = rowsToCompare(params.shape, CHECK_FLOPS);
  const reference = (parts: readonly AttentionInputs[]) =>
    driveSteps(referenceRows(params.shape, entriesOf(parts), rows), signal, (fraction) =>
      report({ fraction, phase: 'reference' }),
    );
  const expected = await reference(call.parts);
  const storages: StorageResult[] = [];
  let paged: DecodeResult['paged'];
  let { roof } = runner;
  const notes = new Set(runner.notes);
  for (const storage of params.storages) {
    const stored = await store(call, storage, signal, report);
    if (call.pages !== undefined) {
      paged ??= { ...call.pages, ...summarisePages(call.pages, storedBytesPerToken(stored)) };
    }
    const isExact = stored.parts === call.parts;
    const held = isExact ? expected : await reference(stored.parts);
    const run = await runner.run({
      ...stored,
      check: (output) => kernelError(params.shape, output, held),
      signal,
      report: ({ fraction, phase }) => report({ fraction, phase: `${storage.name}: ${phase}` }),
    });
    for (const note of run.notes) notes.add(note);
    if (run.kernelError?.withinTolerance === false) {
      notes.add(
        `${storage.name}: output differs from the f64 reference by ${run.kernelError.maxAbs.toExponential(1)}`,
      );
    }
    const flops = decodeFlops(call.parts);
    const timing = { flops, gigaflopsPerSecond: flops / run.medianSeconds / 1e9 };
    roof = run.roof ?? (roof && raisedRoof(roof, timing, run.readBytes));
    storages.push(describe(call, storage, stored, run, expected, roof));
    await yieldToMessages();
    signal.throwIfAborted();
  }
  return {
    params,
    engine: runner.engine,
    engineNote: runner.engineNote,
    adapter: runner.adapter,
    roof,
    storages,
    timing: storages[0]!.timing,
    paged,
    notes: [...notes],
  };
}

type Stored = Pick<StoredCall, 'call' | 'key' | 'value' | 'parts'>;

async function store(
  call: DecodeCall,
  storage: CacheStorage,
  signal: AbortSignal,
  report: OnProgress,
): Promise<Stored> {
  const { batch, kvHeads, keys, headSize } = call.params.shape;
  const shape = { heads: batch * kvHeads, rows: keys, columns: headSize };
  const each = (name: 'key' | 'value') =>
    driveSteps(storeTensor(call.inputs[name], shape, storage[name]), signal, (fraction) =>
      report({ fraction, phase: `${storage.name}: storing ${name}s` }),
    );
  const key = await each('key');
  const value = await each('value');
  if (key.type === 'f32' && value.type === 'f32') return { call, key, value, parts: call.parts };
  const inputs = { ...call.inputs, key: key.values, value: value.values };
  const parts = partsOf(call.params, inputs, call.pages);
  return { call, key, value, parts };
}

/** K and V of one token of a storage without scales. */
function storedBytesPerToken({ call, key, value }: Stored): number {
  const { kvHeads, headSize } = call.params.shape;
  return (kvHeads * headSize * (key.bytes.bitsPerElement + value.bytes.bitsPerElement)) / 8;
}

function f32BytesPerToken({ shape }: DecodeParams): number {
  return 2 * 4 * shape.kvHeads * shape.headSize;
}

function describe(
  call: DecodeCall,
  { name }: CacheStorage,
  stored: Stored,
  run: StoredRun,
  expected: ReferenceRows,
  roof: AdapterRoof | undefined,
): StorageResult {
  const { params, inputs, pages, tokens } = call;
  const perToken = f32BytesPerToken(params);
  const summary = pages === undefined ? undefined : summarisePages(pages, perToken);
  const bytesOf = ({ bytes }: StoredTensor) => {
    if (summary === undefined) return bytes;
    const total = ((summary.pageBytes / 2) * bytes.bitsPerElement) / 32;
    return {
      ...bytes,
      codes: total,
      total,
      bitsPerElement: (8 * total) / ((tokens * perToken) / 8),
    };
  };
  const key = bytesOf(stored.key);
  const value = bytesOf(stored.value);
  const kept = key.total + value.total + (summary?.tableBytes ?? 0);
  const flops = decodeFlops(call.parts);
  const { medianSeconds, samplesSeconds, warmupRuns, clock } = run;
  const gigaflopsPerSecond = flops / medianSeconds / 1e9;
  const readGigabytesPerSecond = run.readBytes / medianSeconds / 1e9;
  const packed = stored.key.quantised ?? stored.value.quantised;
  const tensor = packed === stored.key.quantised ? 'key' : 'value';
  return {
    name,
    key,
    value,
    bytesPerToken: kept / tokens,
    ratioToF32: kept / (tokens * perToken),
    ratioToF16: (2 * kept) / (tokens * perToken),
    keyError: tensorError(stored.key.values, inputs.key),
    valueError: tensorError(stored.value.values, inputs.value),
    error: decodeError(params.shape, run, expected),
    kernelError: run.kernelError,
    timing: {
      medianSeconds,
      samplesSeconds,
      warmupRuns,
      clock,
      flops,
      gigaflopsPerSecond,
    },
    plan: run.plan,
    splits: run.splits,
    submits: run.submits,
    readBytes: run.readBytes,
    readGigabytesPerSecond,
    percentOfCopyRoof:
      roof === undefined ? undefined : (100 * readGigabytesPerSecond) / roof.copyGigabytesPerSecond,
    roofPlace: roof && placeUnderRoof(roof, { flops, gigaflopsPerSecond }, run.readBytes),
    keyZeroShare: stored.key.zeroShare,
    valueZeroShare: stored.value.zeroShare,
    word: packed === undefined ? undefined : { tensor, ...firstWord(packed, inputs[tensor]) },
  };
}
