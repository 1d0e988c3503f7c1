import { makeInputs } from '../../../lib/attention/inputs';
import { readFloats, storageBuffer, uniformBuffer } from '../../../lib/gpu/buffers';
import { type GpuDevice, openDevice } from '../../../lib/gpu/device';
import { fillWords, withWords } from '../../../lib/gpu/mask-bits';
import { packBlockList } from '../../../lib/gpu/packed-list';
import { attentionParamsView } from '../../../lib/gpu/params';
import { type PrefillPlan, planById } from '../../../lib/gpu/plans';
import { ResidentAttention } from '../../../lib/gpu/resident';
import { selectKeys } from '../../../lib/gpu/select-keys';
import type { AttentionParams } from '../../../lib/spec/kinds/attention';

let opened: Promise<GpuDevice | undefined> | undefined;

/** Bits that the device made of a call's partial blocks, against the formula of the reference. */
export async function maskBits(planId: string, params: AttentionParams) {
  opened ??= openDevice();
  const gpu = await opened;
  if (gpu === undefined) throw new Error('no WebGPU adapter in the test browser');
  const { signal } = new AbortController();
  const { inputs } = await selectKeys(params, makeInputs(params), signal, () => undefined);
  const { shape, program } = inputs;
  const plan = planById(planId) as PrefillPlan;
  const { blockQueries, blockKeys } = plan;
  const list = packBlockList(inputs, blockQueries, blockKeys, shape.queryHeads);
  const words = withWords(plan, program, list);
  if (words === undefined) return { isByBits: false, partial: list.partial, seen: 0, wrong: 0 };
  const resident = await ResidentAttention.upload(gpu, inputs);
  const view = attentionParamsView(shape, program, {
    listStride: list.stride,
    listHeadStride: list.headStride,
    wordRows: words.wordRows,
  });
  const listRows = await storageBuffer(gpu, 'rows', { data: list.rows });
  const entries = await storageBuffer(gpu, 'entries', { data: words.entries });
  const uniform = uniformBuffer(gpu, view.arrayBuffer.byteLength);
  const buffers = { tables: resident.tables, listRows, entries, uniform };
  await fillWords(gpu, program, words, buffers, {
    blockQueries,
    blockKeys,
    writeParams: (each) => {
      view.set(each);
      gpu.device.queue.writeBuffer(uniform, 0, view.arrayBuffer);
    },
  });
  const made = new Uint32Array((await readFloats(gpu, entries, words.entries.length)).buffer);
  for (const each of [resident, listRows, entries, uniform]) each.destroy();

  const groups = program.maskPerHead ? shape.queryHeads : 1;
  let seen = 0;
  let wrong = 0;
  for (let l = 0; l < list.lists; l++) {
    for (let i = 0; i < list.queryBlocks; i++) {
      const row = l * (list.queryBlocks + 1) + i;
      const first = list.rows[2 * row]! + list.rows[2 * row + 1]!;
      for (let e = first; e < list.rows[2 * row + 2]!; e++) {
        for (let r = 0; r < blockQueries; r++) {
          const query = i * blockQueries + r;
          if (query >= shape.queries) continue;
          const word = made[made[words.wordRows + row]! + (e - first) * blockQueries + r]!;
          for (let j = 0; j < blockKeys; j++) {
            const key = list.entries[e]! * blockKeys + j;
            const isSeen =
              key < shape.keys && program.isVisible(Math.floor(l / groups), l % groups, query, key);
            if (isSeen) seen++;
            if (isSeen !== (((word >>> j) & 1) === 1)) wrong++;
          }
        }
      }
    }
  }
  return { isByBits: true, partial: list.partial, seen, wrong };
}
