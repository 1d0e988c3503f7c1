import { describe, expect, test } from 'vitest';
import type { ModelDevice, OpenModelDevice } from '../../../lib/run/model-device';
import { createModelService } from '../../../lib/run/model-service';
import { makeProvenance } from '../../../lib/run/provenance';
import { modelParams } from '../../../lib/spec/kinds/model';
import { notebookSchema } from '../../../lib/spec/notebook';
import { tinyConfig, tinyFiles, tinyTensors } from '../transformer/tiny-model';

const config = tinyConfig('llama', { max_position_embeddings: 1024 });
const files = tinyFiles({ config, tensors: tinyTensors(config) });
const adapter = {
  vendor: 'fake',
  architecture: 'fast',
  isFallback: false,
} as ModelDevice['adapter'];
const never = new AbortController().signal;
const params = modelParams.parse({ prompt: 'paris : 42 ; ? paris :', newTokens: 4 });

function serviceWith(openModelDevice?: OpenModelDevice) {
  return createModelService({
    readRecall: async (name) => files.get(name)!,
    ...(openModelDevice && { openModelDevice }),
    makePool: () => {
      throw new Error('no pool was asked for');
    },
  });
}

/** Computes as the CPU does, and counts; calls for which `fails` holds do not come back. */
function fakeDevice(fails: (call: number) => boolean = () => false, decodes = true) {
  const told = { opened: [] as string[], rows: [] as number[], destroyed: 0 };
  const open: OpenModelDevice = async (model, choice) => {
    told.opened.push(choice);
    return {
      adapter,
      decodes,
      ...(decodes ? {} : { decodeMilliseconds: { device: 2, cpu: 0.51 } }),
      tally: () => ({ held: told.rows.length, layered: 0, cpu: 0 }),
      isOurs: () => true,
      async forwardAsync(step) {
        told.rows.push(step.tokens.length);
        if (fails(told.rows.length)) throw new Error('the GPU device was lost: unknown');
        await Promise.resolve();
        return model.forward(step);
      },
      destroy: () => void told.destroyed++,
    };
  };
  return { open, told };
}

describe('a prompt that a GPU reads', () => {
  test('gives the text of the CPU, and says who read it', async () => {
    const { open, told } = fakeDevice();
    const plain = await serviceWith().run(params, undefined, never, () => undefined);
    const service = serviceWith(open);
    const result = await service.run(params, undefined, never, () => undefined);
    expect(result.tokens).toEqual(plain.tokens);
    expect(result.surprisalNats).toEqual(plain.surprisalNats);
    expect(told.rows).toEqual([result.promptTokens, 1, 1, 1]);
    expect(result).toMatchObject({ engine: 'webgpu', adapter });
    expect(result.notes).toEqual(['the prompt was read and tokens were written by WebGPU']);
    const cell = notebookSchema.parse({ cells: [{ id: 'm', kind: 'model' }] }).cells[0];
    if (cell?.kind !== 'model') throw new Error('no model cell');
    const provenance = makeProvenance(
      cell,
      { kind: 'model', value: result },
      { appVersion: '1', specHash: 'h', computedAtMilliseconds: 0, wallSeconds: 1, inputs: [] },
    );
    expect(provenance).toMatchObject({ engine: 'webgpu', adapter });
    await service.run({ ...params, newTokens: 1 }, undefined, never, () => undefined);
    expect(told).toMatchObject({ opened: ['auto'], destroyed: 0 });
  });

  test('is read on the CPU where there is no GPU, or another engine is chosen', async () => {
    const none = await serviceWith(async () => undefined).run(
      params,
      undefined,
      never,
      () => undefined,
    );
    expect(none).toMatchObject({ engine: 'wasm', notes: [] });
    expect(none.adapter).toBeUndefined();
    const { open, told } = fakeDevice();
    const chosen = { ...params, engine: 'reference' as const };
    const result = await serviceWith(open).run(chosen, undefined, never, () => undefined);
    expect(result.engine).toBe('reference');
    expect(told.opened).toEqual([]);
  });

  test('is read again on the CPU where the GPU fails, and from then on', async () => {
    const { open, told } = fakeDevice(() => true);
    const service = serviceWith(open);
    const plain = await serviceWith().run(params, undefined, never, () => undefined);
    for (let i = 0; i < 2; i++) {
      const result = await service.run(params, undefined, never, () => undefined);
      expect(result.tokens).toEqual(plain.tokens);
      expect(result.engine).toBe('wasm');
      expect(result.notes).toEqual(['the GPU was not used: the GPU device was lost: unknown']);
    }
    expect(told).toMatchObject({ opened: ['auto'], destroyed: 1, rows: [told.rows[0]] });
    const refused = serviceWith(() => Promise.reject(new Error('the weights do not fit')));
    const without = await refused.run(params, undefined, never, () => undefined);
    expect(without.notes).toEqual(['the GPU was not used: the weights do not fit']);
  });

  test('says what was measured where tokens are written elsewhere', async () => {
    const { open } = fakeDevice(() => false, false);
    const { notes } = await serviceWith(open).run(params, undefined, never, () => undefined);
    expect(notes).toEqual([
      'the prompt was read by WebGPU, in chunks; tokens were written in WebAssembly, which is faster (a token takes 2 ms by WebGPU, 0.51 ms in WebAssembly)',
    ]);
  });

  test('asked for by name is never read elsewhere: a new device once, then a sentence', async () => {
    const chosen = { ...params, engine: 'webgpu' as const };
    const run = (open?: OpenModelDevice) =>
      serviceWith(open).run(chosen, undefined, never, () => undefined);
    const plain = await serviceWith().run(params, undefined, never, () => undefined);
    const once = fakeDevice((call) => call === 2);
    const result = await run(once.open);
    expect(result.tokens).toEqual(plain.tokens);
    expect(result.engine).toBe('webgpu');
    expect(result.notes[0]).toBe(
      'the GPU failed and was opened anew: the GPU device was lost: unknown',
    );
    expect(once.told).toMatchObject({ opened: ['webgpu', 'webgpu'], destroyed: 1 });
    const always = fakeDevice(() => true);
    await expect(run(always.open)).rejects.toThrow('the GPU device was lost: unknown');
    expect(always.told.opened).toHaveLength(2);
    await expect(run(async () => undefined)).rejects.toThrow('no WebGPU adapter in this browser');
    await expect(run()).rejects.toThrow('WebGPU is found in the page only');
  });

  test('is not read again where it was cancelled', async () => {
    const controller = new AbortController();
    const { open, told } = fakeDevice(() => {
      controller.abort();
      return false;
    });
    const running = serviceWith(open).run(params, undefined, controller.signal, () => undefined);
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
    expect(told.rows).toHaveLength(1);
    expect(told.destroyed).toBe(0);
  });
});
