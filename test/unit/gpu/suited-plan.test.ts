import { expect, test } from 'vitest';
import { DeviceLostError, type GpuDevice } from '../../../lib/gpu/device';
import { planById } from '../../../lib/gpu/plans';
import type { ResidentTexels } from '../../../lib/gpu/resident';
import { suitedPlan } from '../../../lib/gpu/suited-plan';

const gpu = {} as GpuDevice;
const chosenOf = (id: string, bufferId: string) => ({
  plan: planById(id),
  gigaflopsPerSecond: 4,
  forBuffers: { plan: planById(bufferId), gigaflopsPerSecond: 2 },
  choice: { id, label: planById(id).label, candidates: [{ id, milliseconds: 1 }] },
  discarded: [],
});
const made = { texels: async () => ({}) as ResidentTexels };
const failing = (error: Error) => ({ texels: () => Promise.reject(error) });
const full = failing(new Error('out of GPU memory: keys as texels needs 1 GiB'));

test('a plan over textures stays where they were made', async () => {
  const chosen = chosenOf('texels-split-1', 'quad-split-1');
  expect(await suitedPlan(gpu, made, chosen)).toMatchObject({ plan: chosen.plan, notes: [] });
});

test('a plan over buffers asks for no textures', async () => {
  const chosen = chosenOf('quad-split-1', 'quad-split-1');
  expect(await suitedPlan(gpu, full, chosen)).toMatchObject({ plan: chosen.plan, notes: [] });
});

test('without room for textures the fastest plan over buffers runs, and says so', async () => {
  const suited = await suitedPlan(gpu, full, chosenOf('texels-split-1', 'quad-split-1'));
  expect(suited.plan.id).toBe('quad-split-1');
  expect(suited.gigaflopsPerSecond).toBe(2);
  expect(suited.choice).toMatchObject({ id: 'quad-split-1', label: suited.plan.label });
  expect(suited.choice.candidates).toHaveLength(1);
  expect(suited.notes).toEqual([
    'plan texels-split-1 gave way to quad-split-1: out of GPU memory: keys as texels needs 1 GiB',
  ]);
});

test('a lost device is not taken for a lack of room', async () => {
  const lost = failing(new DeviceLostError('the GPU device was lost'));
  const chosen = chosenOf('texels-split-1', 'quad-split-1');
  await expect(suitedPlan(gpu, lost, chosen)).rejects.toThrow('the GPU device was lost');
});
