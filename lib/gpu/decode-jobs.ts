import { fillPool, summarisePages } from '../attention/decode/pages';
import type { StoredTensor } from '../attention/decode/stored';
import type { AttentionInputs } from '../attention/types';
import { prepareAttention } from './attention-job';
import type { ChosenPlan } from './choose-plan';
import { f32ReadBytes, readShare } from './decode-reads';
import type { StoredCall } from './decode-runner';
import type { GpuDevice } from './device';
import { preparePaged } from './paged-job';
import { type DecodeKernel, prepareQuantised } from './quantised-job';
import { ResidentAttention } from './resident';
import type { DecodeJob } from './split-decode';
import { deviceStorageNotes } from './storage-notes';
import { STORAGE_BYTES, type Storage, storagesFor } from './stored';
import { isTexelStorage } from './texels';

/** A job with what is told of it. */
export interface PreparedJob
  extends Pick<DecodeJob, 'submits' | 'splits' | 'run' | 'read' | 'destroy'> {
  readonly plan: string;
  readonly readBytes: number;
  readonly notes?: readonly string[];
}

/** What is made into a job: a step's tensors as a storage holds them. */
export type StoredTensors = Pick<StoredCall, 'call' | 'key' | 'value' | 'parts'>;

/**
 * Kernels for a storage, the preferred one first; what has no kernel of its own becomes a note.
 *
 * @param chosen the f32 plan of this adapter and class of shapes
 */
export function candidateJobs(
  gpu: GpuDevice,
  chosen: ChosenPlan,
  stored: StoredTensors,
  notes: string[],
): readonly (() => Promise<PreparedJob>)[] {
  const { call, key, value, parts } = stored;
  const { splits } = call.params;
  const optionsOf = ({ gigaflopsPerSecond }: Pick<ChosenPlan, 'gigaflopsPerSecond'>) => ({
    gigaflopsPerSecond,
    ...(splits === 0 ? {} : { splits }),
  });
  const { forBuffers } = chosen;
  // What suits f32 on this adapter, registers or workgroup memory, suits packed keys too.
  const others: readonly DecodeKernel[] = forBuffers.plan.needsSubgroups
    ? ['quad', 'tile']
    : ['tile'];
  const [inputs] = parts as [AttentionInputs];
  if (key.quantised !== undefined && value.quantised !== undefined) {
    const packed = { ...inputs, key: key.quantised, value: value.quantised };
    const kernels: readonly DecodeKernel[] =
      chosen.plan.readsTexels === true ? ['texels', ...others] : others;
    return kernels.map((kernel) => async () => {
      const job = await prepareQuantised(gpu, packed, kernel, optionsOf(forBuffers));
      const readBytes = job.cacheBytes * readShare(inputs, BLOCK_KEYS[kernel]);
      return { ...job, plan: `split-KV over packed keys and values (${kernel})`, readBytes };
    });
  }
  let storages: readonly Storage[] = ['f32'];
  if (key.type === value.type && key.type !== 'quantised' && key.type !== 'delta') {
    storages = storagesFor(gpu.info, key.type);
  } else {
    notes.push(
      `a cache with ${nameOf(key)} keys and ${nameOf(value)} values has no kernel of its own: the f32 kernel read dequantised values, and its times are those of f32`,
    );
  }
  return storages.flatMap((storage) => {
    const suited = isTexelStorage(storage) ? chosen : forBuffers;
    const options = optionsOf(suited);
    if (call.pages === undefined) {
      // Textures may find no room beside the buffers.
      return (suited.plan.readsTexels === true ? [suited, forBuffers] : [suited]).map(
        (each) => () => storedJob(gpu, each.plan, inputs, storage, optionsOf(each)),
      );
    }
    const kernels: readonly DecodeKernel[] =
      suited.plan.readsTexels === true ? ['texels', ...others] : others;
    return kernels.map((kernel) => () => pagedJob(gpu, stored, kernel, storage, options));
  });
}

const nameOf = ({ type }: StoredTensor) => (type === 'quantised' ? 'packed' : type);

/** Of a plan's name. */
const SUFFIXES: Readonly<Record<Storage, string>> = {
  f32: '',
  half: ', f16',
  'half-words': ', f16 from words',
  'bfloat-words': ', bf16 from words',
};

const suffixOf = (storage: Storage, isInTexels: boolean) =>
  isInTexels && storage !== 'f32' ? ', f16 texels' : SUFFIXES[storage];

/** Keys per block that the kernels walk. */
const BLOCK_KEYS: Readonly<Record<DecodeKernel, number>> = { texels: 32, quad: 32, tile: 64 };

type Options = Parameters<typeof prepareAttention>[4];

async function storedJob(
  gpu: GpuDevice,
  plan: ChosenPlan['plan'],
  inputs: AttentionInputs,
  storage: Storage,
  options: Options,
): Promise<PreparedJob> {
  const isInTexels = plan.readsTexels === true;
  const resident = await ResidentAttention.upload(gpu, inputs, storage);
  try {
    const job = await prepareAttention(gpu, resident, inputs, plan, options);
    if (isInTexels) resident.release('key', 'value');
    return {
      ...job,
      splits: job.splits ?? 1,
      plan: `${plan.label}${suffixOf(storage, isInTexels)}`,
      readBytes: (f32ReadBytes([inputs], plan.blockKeys) * STORAGE_BYTES[storage]) / 4,
      notes: deviceStorageNotes(gpu.info, storage, isInTexels),
      read: () => resident.read(gpu),
      destroy: () => {
        job.destroy();
        resident.destroy();
      },
    };
  } catch (error) {
    resident.destroy();
    throw error;
  }
}

async function pagedJob(
  gpu: GpuDevice,
  { call: { params, inputs, pages }, key, value }: StoredTensors,
  kernel: DecodeKernel,
  storage: Storage,
  options: Options,
): Promise<PreparedJob> {
  if (pages === undefined || params.layout.type !== 'paged') throw new Error('no pages');
  const { shape } = params;
  const { pageTokens } = params.layout;
  const isInTexels = kernel === 'texels';
  const job = await preparePaged(
    gpu,
    {
      shape,
      query: inputs.query,
      keyPool: fillPool(pages, key.values, shape),
      valuePool: fillPool(pages, value.values, shape),
      storage,
      pageTokens,
      blockTable: pages.blockTable,
      lengths: pages.lengths,
      isCausal: params.variant.type === 'causal',
    },
    kernel,
    options,
  );
  const { pageBytes, tableBytes } = summarisePages(
    pages,
    2 * STORAGE_BYTES[storage] * shape.kvHeads * shape.headSize,
  );
  return {
    ...job,
    plan: `split-KV over pages of ${pageTokens} tokens (${kernel})${suffixOf(storage, isInTexels)}`,
    readBytes: pageBytes + tableBytes,
    notes: deviceStorageNotes(gpu.info, storage, isInTexels),
  };
}
