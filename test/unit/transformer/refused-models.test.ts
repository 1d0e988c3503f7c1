import { expect, test, vi } from 'vitest';
import { gatherFiles } from '../../../lib/transformer/load/model-files';
import { openModel } from '../../../lib/transformer/load/open-model';
import { cutOff, tinyConfig, tinyFiles, tinyTensors } from './tiny-model';

type Files = Map<string, Blob>;

const INDEX = 'model.safetensors.index.json';
const ONE = 'model-00001-of-00002.safetensors';
const TWO = 'model-00002-of-00002.safetensors';
const config = tinyConfig('llama');
const single = () => tinyFiles({ config, tensors: tinyTensors(config) });
const sharded = () => tinyFiles({ config, tensors: tinyTensors(config), shards: 2 });
const text = (value: string) => new Blob([value]);

/** Files of which one tensor is another. */
function withTensor(
  name: string,
  change: (tensor: ReturnType<typeof tinyTensors>[number]) => object,
) {
  const tensors = tinyTensors(config).map((tensor) =>
    tensor.name === name ? { ...tensor, ...change(tensor) } : tensor,
  );
  return tinyFiles({ config, tensors });
}

async function changedIndex(change: Record<string, unknown>): Promise<Files> {
  const files = sharded();
  const index = JSON.parse(await files.get(INDEX)!.text());
  Object.assign(index.weight_map, change);
  return files.set(INDEX, text(JSON.stringify(index)));
}

function without(files: Files, name: string): Files {
  files.delete(name);
  return files;
}

const Q = 'model.layers.1.self_attn.q_proj.weight';

test.each<[string, () => Files | Promise<Files>, string | RegExp]>([
  ['no config', () => without(single(), 'config.json'), 'missing file: "config.json"'],
  [
    'a config that is cut off',
    () => single().set('config.json', text('{"model_type": "lla')),
    /^config\.json: not JSON, or cut off: /,
  ],
  [
    'another architecture',
    () => single().set('config.json', text('{"model_type": "mamba"}')),
    'config.json: unsupported model_type: "mamba" (expected one of llama, mistral, qwen2, qwen3)',
  ],
  [
    'no weights',
    () => without(single(), 'model.safetensors').set('pytorch_model.bin', text('x')),
    `missing weights: no "model.safetensors" and no "${INDEX}"; "pytorch_model.bin" is of another format`,
  ],
  [
    'shards without an index',
    () => without(sharded(), INDEX),
    `missing file: "${INDEX}" (2 safetensors files, and nothing says which tensor is in which)`,
  ],
  [
    'a shard that is not there',
    () => without(sharded(), TWO),
    `missing shard: "${TWO}" (of 2 that ${INDEX} names)`,
  ],
  [
    'an index that reaches elsewhere',
    () => changedIndex({ x: '../secret.safetensors' }),
    `${INDEX}: invalid file of tensor "x": "../secret.safetensors" (expected a name such as "model-00001-of-00002.safetensors")`,
  ],
  [
    'an index that is wrong about a tensor',
    () => changedIndex({ 'model.embed_tokens.weight': TWO }),
    `${INDEX}: tensor "model.embed_tokens.weight" should be in "${TWO}" (it is in "${ONE}")`,
  ],
  [
    'an index with a tensor too many',
    () => changedIndex({ 'model.more': TWO }),
    `${INDEX}: tensor "model.more" should be in "${TWO}" (it is in no shard)`,
  ],
  [
    'an index without a map',
    () => sharded().set(INDEX, text('{}')),
    `invalid ${INDEX} weight_map: nothing (expected a JSON object)`,
  ],
  [
    'a tensor in two shards',
    () => {
      const files = sharded();
      return files.set(TWO, files.get(ONE)!);
    },
    `tensor "model.embed_tokens.weight" is in two files: "${ONE}" and "${TWO}"`,
  ],
  [
    'a file that is cut off in its data',
    () => {
      const files = single();
      return files.set('model.safetensors', cutOff(files.get('model.safetensors')!, 8));
    },
    /^model\.safetensors: tensor "model\.norm\.weight": data_offsets \[\d+, \d+\] end after the file's \d+ bytes of data: the file is cut off or damaged$/,
  ],
  [
    'a shard that is cut off in its header',
    () => {
      const files = sharded();
      return files.set(ONE, files.get(ONE)!.slice(0, 100));
    },
    /^model-00001-of-00002\.safetensors: the file is cut off: its header ends at byte \d+, the file at byte 100$/,
  ],
  [
    'missing tensors',
    () => {
      const tensors = tinyTensors(config).filter(({ name }) => !name.includes('layers.1.mlp'));
      return tinyFiles({ config, tensors });
    },
    'missing tensor: "model.layers.1.mlp.gate_proj.weight" of shape [20, 24] and 2 more (20 are needed by config.json)',
  ],
  [
    'another shape',
    () => withTensor(Q, () => ({ shape: [12, 48] })),
    `model.safetensors: tensor "${Q}" has the shape [12, 48] (expected [24, 24] by config.json)`,
  ],
  [
    'a dtype that is not read',
    () =>
      withTensor(Q, ({ data }) => ({ dtype: 'F64', data: new Float64Array(data.byteLength / 4) })),
    `model.safetensors: tensor "${Q}" is of dtype F64 (expected F32, F16, BF16)`,
  ],
  [
    'quantised weights',
    () => withTensor(Q, ({ data }) => ({ dtype: 'I8', data: new Int8Array(data.byteLength / 4) })),
    `model.safetensors: tensor "${Q}" is of dtype I8 (expected F32, F16, BF16)`,
  ],
  [
    'a tensor without a place',
    () => {
      const bias = {
        name: 'model.layers.0.self_attn.q_proj.bias',
        dtype: 'F32',
        shape: [24],
      } as const;
      const tensors = [...tinyTensors(config), { ...bias, data: new Float32Array(24) }];
      return tinyFiles({ config, tensors });
    },
    'model.safetensors: tensor "model.layers.0.self_attn.q_proj.bias" has no place in a llama model of 2 layers: leaving it out would change the answers',
  ],
  [
    'a stop token outside the vocabulary',
    () => single().set('generation_config.json', text('{"eos_token_id": [2, 999]}')),
    'generation_config.json: invalid eos_token_id: 999 (expected an integer 0..241)',
  ],
])('refuses %s before the values are read', async (_, files, message) => {
  const refused = openModel(await files()).then(
    () => 'opened',
    (error: Error) => error.message,
  );
  if (typeof message === 'string') expect(await refused).toBe(message);
  else expect(await refused).toMatch(message);
});

test('a value that is not finite is found while loading, with its place', async () => {
  const data = new Float32Array(576);
  data[25] = Number.NaN;
  const opened = await openModel(withTensor(Q, () => ({ data })));
  await expect(opened.load()).rejects.toThrow(
    `model.safetensors: non-finite value NaN in tensor "${Q}" at [1, 1]`,
  );
});

test('a file that went away while it is read is named', async () => {
  const files = single();
  const weights = files.get('model.safetensors')!;
  let isGone = false;
  const vanishing = {
    size: weights.size,
    slice: (start: number, end: number) => ({
      arrayBuffer: () =>
        isGone
          ? Promise.reject(new DOMException('gone', 'NotReadableError'))
          : weights.slice(start, end).arrayBuffer(),
    }),
  };
  const opened = await openModel(
    new Map<string, Blob | typeof vanishing>(files).set('model.safetensors', vanishing),
  );
  isGone = true;
  await expect(opened.load()).rejects.toThrow(
    'model.safetensors: the file changed or went away while it was read',
  );
});

test('memory that ends while loading is told with what it was for', async () => {
  const opened = await openModel(single());
  // The first norm has 24 values.
  const ending = new Proxy(Float32Array, {
    construct(target, args) {
      if (args[0] === 24) throw new RangeError('Array buffer allocation failed');
      return Reflect.construct(target, args);
    },
  });
  vi.stubGlobal('Float32Array', ending);
  const refused = await opened.load().catch((error: Error) => error.message);
  vi.unstubAllGlobals();
  expect(refused).toBe(
    'not enough memory for tensor "model.layers.0.input_layernorm.weight": 96 bytes as f32, after 22.7 KiB',
  );
});

test('what carries nothing is no reason to refuse', async () => {
  const extra = (name: string, shape: number[]) => {
    const count = shape.reduce((a, b) => a * b, 1);
    return { name, dtype: 'F32' as const, shape, data: new Float32Array(count) };
  };
  const tensors = [
    ...tinyTensors(config),
    extra('lm_head.weight', [242, 24]),
    extra('model.layers.0.self_attn.rotary_emb.inv_freq', [3]),
  ];
  const opened = await openModel(tinyFiles({ config, tensors }));
  expect(opened.tensorCount).toBe(20);
  const only = without(single(), 'model.safetensors');
  only.set('weights.safetensors', single().get('model.safetensors')!);
  expect((await openModel(only)).fileNames).toEqual(['weights.safetensors']);
  const chat = single().set('generation_config.json', text('{"eos_token_id": [2, 6]}'));
  expect((await openModel(chat)).config.eosTokens).toEqual([2, 6]);
});

test('the folder of config.json is the model; other folders are left aside', () => {
  const file = text('x');
  const paths = (...list: string[]) => list.map((path) => ({ path, file }));
  const gathered = gatherFiles(
    paths('m/config.json', 'm/model.safetensors', 'm/onnx/config.json', 'm/onnx/model.safetensors'),
  );
  expect([...gathered.keys()]).toEqual(['config.json', 'model.safetensors']);
  expect([...gatherFiles(paths('config.json', 'b.bin')).keys()]).toEqual(['config.json', 'b.bin']);
  expect(() => gatherFiles([])).toThrow('missing file: "config.json" (among no file)');
  expect(() => gatherFiles(paths('a', 'b', 'c', 'd', 'e'))).toThrow(
    'missing file: "config.json" (among "a", "b", "c", "d" and 1 more)',
  );
  expect(() => gatherFiles(paths('a/config.json', 'b/config.json'))).toThrow(
    'two models: "a/config.json" and "b/config.json" (expected one folder)',
  );
});
