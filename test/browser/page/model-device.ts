import { POLICIES } from '../../../lib/cache/policies';
import type { CacheSession } from '../../../lib/cache/types';
import { type GpuDevice, openDevice } from '../../../lib/gpu/device';
import { openModelDevice } from '../../../lib/gpu/model-device';
import { createGpuTransformer } from '../../../lib/gpu/transformer';
import { createFullCache } from '../../../lib/transformer/full-cache';
import { type ModelSteps, runSteps, runStepsAsync } from '../../../lib/transformer/model-steps';
import type { Transformer } from '../../../lib/transformer/types';
import { createWasmTransformer } from '../../../lib/wasm/transformer';
import { configOf, randomTokens, randomWeights } from '../../transformer/random-model';

const config = configOf({ layers: 2, vocabularySize: 60 });
const cpu = createWasmTransformer(config, randomWeights(config, 5));
let opened: Promise<GpuDevice | undefined> | undefined;

const CONTEXT = randomTokens(config, 90, 1);
const QUESTION = randomTokens(config, 5, 2);

function* stepsOf(session: CacheSession) {
  const { steps } = session;
  if (steps === undefined) throw new Error('the session runs the model itself');
  yield* steps.prefill(CONTEXT, { question: QUESTION });
  const first = yield* steps.ask(QUESTION, 6, new Set());
  session.rewind();
  const again = yield* steps.ask(QUESTION, 6, new Set());
  const held: (readonly number[])[] = [];
  for (let layer = 0; layer < config.layers; layer++) {
    for (let kvHead = 0; kvHead < config.kvHeads; kvHead++) {
      held.push(session.slots(layer, kvHead).map(({ position }) => position));
    }
  }
  return { first, again, held };
}

type Steps = (
  session: CacheSession,
) => ModelSteps<
  ReturnType<typeof stepsOf> extends Generator<unknown, infer T, unknown> ? T : never
>;

/** What a policy answers and keeps over WebAssembly and over the device, and where its steps ran. */
async function runPolicy(id: string) {
  opened ??= openDevice();
  const gpu = await opened;
  if (gpu === undefined) throw new Error('no WebGPU adapter in the test browser');
  const entry = POLICIES.get(id);
  if (entry === undefined) throw new Error(`unknown policy: ${id}`);
  // In halves a sum in another order now and then rounds to the neighbour, and a tie goes elsewhere.
  const open = (model: Transformer) =>
    entry.open(model, { type: 'ratio', share: 0.25 }, { storage: 'f32' });
  const steps: Steps = stepsOf;
  const plain = runSteps(cpu, steps(open(cpu)));
  const model = await createGpuTransformer(gpu, cpu);
  try {
    const device = await runStepsAsync(model, steps(open(model)));
    return { plain, device, tally: model.tally() };
  } finally {
    model.destroy();
  }
}

/** What each choice finds on this adapter, and a device that is lost amid its work. */
async function lose() {
  const none = await openModelDevice(cpu, 'auto');
  const device = await openModelDevice(cpu, 'webgpu');
  if (device === undefined) throw new Error('no device was opened');
  const step = (rows: number) => {
    const tokens = randomTokens(config, rows, 1);
    return { tokens, positions: tokens.map((_, i) => i), cache: createFullCache(config) };
  };
  const { logits } = await device.forwardAsync(step(20));
  const wrong = await device.forwardAsync({ ...step(3), positions: [0] }).then(
    () => undefined,
    (error: unknown) => device.isOurs(error),
  );
  const running = device.forwardAsync(step(20));
  device.destroy();
  const lost = await running.then(
    () => undefined,
    (error: unknown) => device.isOurs(error),
  );
  const again = await openModelDevice(cpu, 'webgpu');
  const after = await again?.forwardAsync(step(20));
  again?.destroy();
  return {
    auto: none === undefined,
    adapter: device.adapter,
    decodes: device.decodes,
    wrong,
    lost,
    isSame: after?.logits.every((logit, i) => logit === logits[i]),
  };
}

const modelDeviceTests = { runPolicy, lose };
export type ModelDeviceTests = typeof modelDeviceTests;
Object.assign(globalThis, { kernelTests: modelDeviceTests });
