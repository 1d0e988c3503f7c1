import { describe, expect, test } from 'vitest';
import { createEvaluationPool } from '../../../lib/run/evaluation-pool';
import { createEvaluationService, type EvaluationJob } from '../../../lib/run/evaluation-service';
import { createLocalClient } from '../../../lib/run/local-client';
import type { DeviceChoice, ModelDevice, OpenModelDevice } from '../../../lib/run/model-device';
import { whereItRan } from '../../../lib/run/where-it-ran';
import { WORDS } from '../../../lib/tasks/vocabulary';
import { randomModel, SMALL } from '../cache/random-model';

const model = randomModel(3, { ...SMALL, vocabularySize: WORDS.length });
const adapter = { vendor: 'fake' } as ModelDevice['adapter'];

/** Computes as the CPU does, holding what a device would; calls for which `fails` holds are lost. */
function fakeDevice(fails: (call: number) => boolean = () => false) {
  const told = { opened: 0, calls: 0 };
  const open: OpenModelDevice = async (cpu) => {
    told.opened++;
    const tally = { held: 0, layered: 0, cpu: 0 };
    return {
      adapter,
      decodes: true,
      tally: () => ({ ...tally }),
      isOurs: (error) => error instanceof Error && error.message === 'lost',
      async forwardAsync(step) {
        await Promise.resolve();
        if (fails(++told.calls)) throw new Error('lost');
        tally[step.hooks?.onlyRead && !step.cache.perQuery ? 'held' : 'layered']++;
        return cpu.forward(step);
      },
      destroy: () => undefined,
    };
  };
  return { open, told };
}

const jobOf = (policyId: string): EvaluationJob => ({
  policyId,
  budget: { type: 'ratio', share: 0.5 },
  plan: {
    taskId: 'passkey',
    contextTokens: 48,
    seed: 6,
    samples: 5,
    protocol: 'hidden',
    answersStay: false,
  },
});

async function run(policyId: string, device?: DeviceChoice, openModelDevice?: OpenModelDevice) {
  const service = createEvaluationService(openModelDevice ? { openModelDevice } : {});
  const pool = createEvaluationPool([createLocalClient(service, 'evaluation')]);
  const { config, weights } = model;
  const report = await pool.load({
    ...{ config, weights, engine: 'reference' },
    ...(device ? { device } : {}),
  });
  const { prefillSeconds, askSeconds, ran, problems, ...rest } = await pool.run(jobOf(policyId));
  expect(prefillSeconds + askSeconds).toBeGreaterThan(0);
  return { report, rest, ran, problems };
}

describe('samples on a device', () => {
  test.each(['h2o', 'cake', 'think', 'duo-attention', 'quest', 'lazyllm', 'oracle-top-k'])(
    '%s answers as it does without',
    async (id) => {
      const { open, told } = fakeDevice();
      const plain = await run(id);
      const on = await run(id, 'webgpu', open);
      expect(on.rest).toEqual(plain.rest);
      expect(plain).toMatchObject({ report: undefined, ran: undefined });
      expect(on.report).toEqual({ adapter, decodes: true });
      const { held, layered, cpu } = on.ran!;
      expect(held + layered).toBe(told.calls);
      expect(held + layered + cpu).toBeGreaterThan(0);
    },
  );

  test('that fails once is opened anew, and the sample run again', async () => {
    const { open, told } = fakeDevice((call) => call === 9);
    const plain = await run('snapkv');
    const on = await run('snapkv', 'webgpu', open);
    expect(on.rest).toEqual(plain.rest);
    expect(on.problems).toEqual(['the GPU failed and was opened anew: lost']);
    expect(told.opened).toBe(2);
    await expect(run('snapkv', 'webgpu', fakeDevice(() => true).open)).rejects.toThrow('lost');
  });

  test('found by itself gives way to the processor where it fails, and says so', async () => {
    const { open, told } = fakeDevice((call) => call > 9);
    const plain = await run('snapkv');
    const on = await run('snapkv', 'auto', open);
    expect(on.rest).toEqual(plain.rest);
    expect(on.problems).toEqual(['the GPU was not used: lost']);
    expect(told.opened).toBe(1);
  });

  test('asked for where there is none is a sentence', async () => {
    await expect(run('full', 'webgpu')).rejects.toThrow('WebGPU is found in the page only');
    const none = await run('full', 'auto', async () => undefined);
    expect(none).toMatchObject({ report: undefined, problems: undefined });
  });

  test("a policy's own error is not the device's", async () => {
    const { open, told } = fakeDevice();
    await expect(run('nothing-like-it', 'webgpu', open)).rejects.toThrow('unknown policy');
    expect(told.opened).toBe(1);
  });
});

test('a result says of every run what computed it', () => {
  const runOf = (label: string, held: number, layered: number, cpu: number) =>
    ({ label, evaluation: { ran: { held, layered, cpu } } }) as never;
  const runs = [runOf('full', 9, 0, 0), runOf('CAKE', 3, 1, 2), runOf('Quest', 0, 0, 7)];
  const said = whereItRan('wasm', { adapter, decodes: true }, runs);
  expect(said).toMatchObject({ engine: 'webgpu', adapter });
  expect(said.notes.map((note) => note.split(': ')[1])).toEqual([
    ...['full, CAKE', 'CAKE', 'CAKE 2 of 6 steps', 'Quest', undefined],
  ]);
  expect(whereItRan('wasm', undefined, runs)).toEqual({ engine: 'wasm', notes: [] });
  expect(whereItRan('wasm', { problem: 'too small' }, [])).toEqual({
    engine: 'wasm',
    notes: ['the GPU was not used: too small'],
  });
});
