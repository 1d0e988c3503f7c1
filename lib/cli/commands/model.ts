import { openAsBlob } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { createFullCache } from '../../transformer/full-cache';
import { decodeGreedy, prefill } from '../../transformer/generate';
import { formatBytes } from '../../transformer/load/memory';
import { gatherFiles, type PathedFile } from '../../transformer/load/model-files';
import { type OpenedModel, openModel } from '../../transformer/load/open-model';
import { createWasmTransformer } from '../../wasm/transformer';
import { command, onlyArgument, readArguments, wholeNumber } from '../command-line';

const USAGE = `usage: headroom model DIR [--prompt TEXT [--tokens N]] [--json]

  DIR             folder with config.json, tokenizer.json and model.safetensors, or its shards
  --prompt TEXT   continue the text greedily
  --tokens N      at most so many tokens (32)
  --json          one JSON object on standard output`;

interface Options {
  readonly folder: string;
  readonly prompt: string | undefined;
  readonly tokens: number;
  readonly isJson: boolean;
}

function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = readArguments(args, {
    prompt: { type: 'string' },
    tokens: { type: 'string' },
    json: { type: 'boolean', default: false },
  });
  const folder = onlyArgument(positionals, 'DIR');
  const tokens = wholeNumber('--tokens', values.tokens ?? '32', 1);
  if (values.tokens !== undefined && values.prompt === undefined) {
    throw new Error('--tokens without --prompt');
  }
  return { folder, prompt: values.prompt, tokens, isJson: values.json };
}

async function filesIn(folder: string): Promise<readonly PathedFile[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      throw new Error(`cannot read the folder (${error.code})`);
    },
  );
  // Links count as files: a download cache holds its files by links.
  const files = entries.filter((entry) => !entry.isDirectory());
  return Promise.all(
    files.map(async ({ name }) => ({ path: name, file: await openAsBlob(join(folder, name)) })),
  );
}

/** What a model generated, and how fast. */
interface Generated {
  readonly promptTokens: number;
  readonly tokens: readonly number[];
  readonly text: string;
  readonly engine: string;
  readonly prefillSeconds: number;
  readonly decodeSeconds: number;
}

async function generate(opened: OpenedModel, prompt: string, count: number): Promise<Generated> {
  const { config, memory } = opened;
  const tokenizer = await opened.tokenizer();
  const ids = tokenizer.encode(prompt);
  if (ids.length === 0) throw new Error('invalid --prompt: no token in it');
  if (ids.length + count > config.maxPositions) {
    throw new Error(
      `the prompt's ${ids.length} tokens and --tokens ${count} are above the model's ${config.maxPositions} positions`,
    );
  }
  const neededBytes = memory.weightsBytes + memory.kvBytesPerToken * (ids.length + count);
  if (neededBytes > totalmem()) {
    throw new Error(
      `the model takes ${formatBytes(neededBytes)} of memory, this machine has ${formatBytes(totalmem())}`,
    );
  }
  const model = createWasmTransformer(config, await opened.load());
  const cache = createFullCache(config);
  const start = performance.now();
  const logits = prefill(model, cache, ids, 0);
  const middle = performance.now();
  const tokens = decodeGreedy(model, cache, logits, ids.length, count, new Set(config.eosTokens));
  return {
    promptTokens: ids.length,
    tokens,
    text: tokenizer.decode(tokens),
    engine: model.engine,
    prefillSeconds: (middle - start) / 1000,
    decodeSeconds: (performance.now() - middle) / 1000,
  };
}

function describe(folder: string, opened: OpenedModel): readonly string[] {
  const { config, memory } = opened;
  const { ropeScaling, ropeTheta } = config;
  const dtypes = Object.entries(opened.dtypes).map(([dtype, count]) => `${count} ${dtype}`);
  const shown: readonly (readonly [string, string])[] = [
    ['model', `${basename(resolve(folder))} (${config.architecture})`],
    [
      'shape',
      `${config.layers} layers, width ${config.hiddenSize}, ${config.heads} query heads, ${config.kvHeads} KV heads of ${config.headSize}, MLP ${config.intermediateSize}, ${config.vocabularySize} tokens${config.tiedHead ? ', tied head' : ''}`,
    ],
    [
      'positions',
      `${config.maxPositions}, RoPE base ${ropeTheta}${ropeScaling.type === 'none' ? '' : `, ${JSON.stringify(ropeScaling)}`}`,
    ],
    [
      'tensors',
      `${opened.tensorCount} checked (${dtypes.join(', ')}) in ${opened.fileNames.join(', ')}, ${formatBytes(opened.storedBytes)}`,
    ],
    [
      'memory',
      `weights ${formatBytes(memory.weightsBytes)} as f32 (${memory.parameters.toLocaleString('en')} parameters), KV ${formatBytes(memory.kvBytesPerToken)} per token, ${formatBytes(memory.fullContextBytes)} with a full context`,
    ],
    ...opened.notes.map((note) => ['note', note] as const),
  ];
  return shown.map(([name, text]) => `${name}\t${text}`);
}

async function runModel({ folder, prompt, tokens, isJson }: Options): Promise<void> {
  const opened = await openModel(gatherFiles(await filesIn(folder)));
  const { config, memory, fileNames, storedBytes, tensorCount, dtypes, notes } = opened;
  const description = describe(folder, opened);
  if (!isJson) for (const line of description) console.log(line);
  const generated = prompt === undefined ? undefined : await generate(opened, prompt, tokens);
  if (isJson) {
    const facts = { config, memory, fileNames, storedBytes, tensorCount, dtypes, notes };
    console.log(JSON.stringify({ ...facts, ...(generated ? { generated } : {}) }, null, 2));
  } else if (generated !== undefined) {
    const { decodeSeconds, engine, prefillSeconds, promptTokens, text } = generated;
    const steps = Math.max(generated.tokens.length - 1, 0);
    console.log(
      `time\t${promptTokens} prompt tokens in ${prefillSeconds.toFixed(3)} s, then ${steps} steps in ${decodeSeconds.toFixed(3)} s (${engine} engine)`,
    );
    console.log(`text\t${text}`);
  }
}

/** `headroom model`: what a model's files hold, whether they fit together, and text that it generates. See `USAGE`. */
export const modelCommand = command(USAGE, parseOptions, async (options) => {
  await runModel(options).catch((error: Error) => {
    throw new Error(`${options.folder}: ${error.message}`);
  });
  return 0;
});
