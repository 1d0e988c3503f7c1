import type { CacheHead } from '../evaluate/cache-head';
import type { CacheResult } from '../evaluate/cell-result';
import { type HeadProbe, probeSteps } from '../evaluate/head-probes';
import type { ModelCellResult } from '../evaluate/model-result';
import type { CacheParams } from '../spec/kinds/cache';
import type { ModelEngine, ModelParams } from '../spec/kinds/model';
import { BOS } from '../tasks/vocabulary';
import { openBundle } from '../transformer/load/bundle';
import type { FetchRange } from '../transformer/load/fetch-range';
import { modelAddress } from '../transformer/load/model-address';
import type { ModelFiles } from '../transformer/load/model-files';
import { type OpenedModel, openModel } from '../transformer/load/open-model';
import { remoteFiles } from '../transformer/load/remote-files';
import type { Tokenizer } from '../transformer/load/tokenizer';
import { wordTokenizer } from '../transformer/load/word-tokenizer';
import { RECALL_FILES, type RecallFile } from '../transformer/recall';
import { runText, type TextRun } from '../transformer/run-text';
import type { Transformer } from '../transformer/types';
import { type CacheHeadPlace, createCacheHeadJob } from './cache-head-job';
import { cacheJob } from './cache-job';
import { DEFAULT_ENGINE, engineOf } from './engines';
import type { EvaluationPool } from './evaluation-pool';
import type { DeviceReport } from './evaluation-service';
import { identityOf } from './file-identity';
import {
  createModelDevices,
  deviceChoice,
  type OpenModelDevice,
  writeOnDevice,
} from './model-device';
import { throttled } from './simulation-jobs';
import { nextTask, throwIfAborted } from './sliced';
import type { OnProgress } from './worker-api';

export interface ModelServiceDeps {
  /** Reads a file of the shipped recall model. */
  readRecall(name: RecallFile): Promise<Blob>;
  /** Reads files of other origins; without it addresses are refused. */
  readonly fetchRange?: FetchRange;
  /** A GPU for a model; without it every engine computes its own. */
  readonly openModelDevice?: OpenModelDevice;
  /** Workers that evaluate policies; made by the first job that needs them. */
  makePool(): EvaluationPool;
}

/** A model in memory, ready to run. */
export interface LoadedModel {
  readonly name: string;
  readonly opened: OpenedModel;
  readonly transformer: Transformer;
  readonly tokenizer: Tokenizer;
}

/** Where a cell's model comes from: its params and the file bound to it. */
export type ModelChoice = Pick<ModelParams, 'source' | 'engine'>;

export interface ModelService {
  /** The model of a choice; the one loaded last is kept. */
  load(
    choice: ModelChoice,
    file: Blob | undefined,
    signal: AbortSignal,
    report: OnProgress,
  ): Promise<LoadedModel>;
  /** Policies side by side on a task. */
  cache(
    params: CacheParams,
    model: ModelChoice,
    file: Blob | undefined,
    signal: AbortSignal,
    report: OnProgress,
  ): Promise<CacheResult>;
  /** One head of the sample that a cache cell looks at. */
  cacheHead(
    params: CacheParams,
    model: ModelChoice,
    file: Blob | undefined,
    place: CacheHeadPlace,
    signal: AbortSignal,
    report: OnProgress,
  ): Promise<CacheHead>;
  run(
    params: ModelParams,
    file: Blob | undefined,
    signal: AbortSignal,
    report: OnProgress,
  ): Promise<ModelCellResult>;
}

/** Texts of each kind that heads are probed on: the model cell is run often. */
const PROBE_TEXTS = 3;

/** The engine on the processor of what a cell chooses: a device has one beside it. */
function engineName(engine: ModelEngine): string {
  return deviceChoice(engine) === undefined ? engine : DEFAULT_ENGINE;
}

/** A cache cell's own engine, where it names one. */
function chosenBy({ engine }: CacheParams, model: ModelChoice): ModelChoice {
  return engine === undefined || engine === 'auto' ? model : { ...model, engine };
}

/** Workers that hold the model, and the devices that they found. */
interface ReadyPool {
  readonly pool: EvaluationPool;
  readonly device: DeviceReport | undefined;
}

/** Why policies cannot be compared on a user's own model. */
function foreignModelMessage(source: ModelParams['source']): string {
  const name = source.type === 'url' ? source.base : source.type === 'file' ? source.fileName : '';
  return `the tasks are written in the words of the recall model, which ${name || 'this model'} was not trained on: connect a recall model, or no model`;
}

/** The shipped model has only ever read texts that begin with the begin-of-sequence token. */
function promptTokens({ source, prompt }: ModelParams, tokenizer: Tokenizer): readonly number[] {
  const tokens = tokenizer.encode(prompt);
  return source.type === 'recall' && tokens.length > 0 && tokens[0] !== BOS
    ? [BOS, ...tokens]
    : tokens;
}

/** Loads and runs models; holds at most one. */
export function createModelService(deps: ModelServiceDeps): ModelService {
  let held: { readonly key: string; readonly model: LoadedModel } | undefined;

  async function filesOf(
    { source }: ModelChoice,
    file: Blob | undefined,
    signal: AbortSignal,
  ): Promise<ModelFiles> {
    if (source.type === 'recall') {
      const blobs = await Promise.all(
        RECALL_FILES.map(async (name) => [name, await deps.readRecall(name)] as const),
      );
      return new Map(blobs);
    }
    if (source.type === 'url') {
      if (deps.fetchRange === undefined)
        throw new Error('an address is read in the page only: give files here');
      const base = modelAddress(source.base);
      return remoteFiles(base, { signal, fetchRange: deps.fetchRange });
    }
    if (file === undefined)
      throw new Error('needs the files of a model: choose them for this cell');
    return openBundle(file);
  }

  async function load(
    choice: ModelChoice,
    file: Blob | undefined,
    signal: AbortSignal,
    report: OnProgress,
  ): Promise<LoadedModel> {
    const { source } = choice;
    const identity = file instanceof File ? identityOf(file) : (file?.size ?? 0);
    const key = JSON.stringify([source, engineName(choice.engine), identity]);
    if (held?.key === key) return held.model;
    // The old weights are let go before the new ones come in.
    held = undefined;
    const opened = await openModel(await filesOf(choice, file, signal), { signal });
    const weights = await opened.load({
      signal,
      onProgress: ({ bytesRead, bytesTotal }) =>
        report({ fraction: bytesRead / bytesTotal, phase: 'reading weights' }),
    });
    const tokenizer = source.type === 'recall' ? wordTokenizer : await opened.tokenizer();
    const name =
      source.type === 'recall'
        ? 'recall model'
        : source.type === 'url'
          ? source.base
          : source.fileName;
    const transformer = engineOf(engineName(choice.engine))(opened.config, weights);
    held = { key, model: { name, opened, transformer, tokenizer } };
    return held.model;
  }

  const devices = createModelDevices(deps.openModelDevice);
  const probed = new WeakMap<Transformer, readonly HeadProbe[]>();

  /** Of the shipped model, whose words the texts are made of; measured once. */
  async function headsOf(
    transformer: Transformer,
    signal: AbortSignal,
    report: OnProgress,
  ): Promise<readonly HeadProbe[]> {
    const known = probed.get(transformer);
    if (known !== undefined) return known;
    const steps = probeSteps(transformer, { texts: PROBE_TEXTS });
    let step = steps.next();
    while (!step.done) {
      report({ fraction: step.value, phase: 'probing heads' });
      await nextTask();
      throwIfAborted(signal);
      step = steps.next();
    }
    probed.set(transformer, step.value);
    return step.value;
  }

  async function run(
    params: ModelParams,
    file: Blob | undefined,
    signal: AbortSignal,
    onProgress: OnProgress,
  ): Promise<ModelCellResult> {
    const report = throttled(onProgress);
    const started = performance.now();
    const { name, opened, transformer, tokenizer } = await load(params, file, signal, report);
    const loadSeconds = (performance.now() - started) / 1000;
    const prompt = promptTokens(params, tokenizer);
    if (prompt.length === 0) throw new Error('the prompt has no tokens: write at least one word');
    const room = transformer.config.maxPositions - params.newTokens;
    if (prompt.length > room) {
      throw new Error(
        `the prompt has ${prompt.length} tokens (expected at most ${room}: the model has ${transformer.config.maxPositions} positions)`,
      );
    }
    const write = (model: Transformer): Promise<TextRun> =>
      runText(model, prompt, params.newTokens, {
        now: () => performance.now(),
        async onShare(share) {
          report({ fraction: share, phase: 'running' });
          await nextTask();
          throwIfAborted(signal);
        },
      });
    const { text, adapter, notes } = await writeOnDevice(
      devices,
      params.engine,
      transformer,
      write,
    );
    const { tokens, surprisalNats, next, prefillSeconds, decodeSeconds } = text;
    const isShipped = params.source.type === 'recall';
    const heads = isShipped ? await headsOf(transformer, signal, report) : [];
    return {
      params,
      name,
      config: transformer.config,
      engine: adapter === undefined ? transformer.engine : 'webgpu',
      ...(adapter && { adapter }),
      parameters: opened.memory.parameters,
      weightsBytes: opened.memory.weightsBytes,
      kvBytesPerToken: opened.memory.kvBytesPerToken,
      tokens,
      labels: Array.from(tokens, (token) => tokenizer.labelOf(token)),
      promptTokens: prompt.length,
      surprisalNats,
      nextTokens: next.map(({ token, probability }) => ({
        label: tokenizer.labelOf(token),
        probability,
      })),
      generatedText: tokenizer.decode([...tokens.subarray(prompt.length)]),
      timing: { loadSeconds, prefillSeconds, decodeSeconds },
      heads,
      // The shipped model's words are its tokens: that it has no tokenizer.json is no news.
      notes: [...(isShipped ? [] : opened.notes), ...notes],
    };
  }

  let pool:
    | { readonly of: LoadedModel; readonly key: string; readonly ready: Promise<ReadyPool> }
    | undefined;

  /** The pool with the model in every worker. */
  async function poolFor(model: LoadedModel, engine: ModelEngine): Promise<ReadyPool> {
    const choice = deviceChoice(engine);
    const key = choice ?? 'none';
    if (pool?.of === model && pool.key === key) return pool.ready;
    const before = await pool?.ready.catch(() => undefined);
    const made = before?.pool ?? deps.makePool();
    const { config, weights } = model.transformer;
    const ready = made
      .load({
        ...{ config, weights, engine: model.transformer.engine },
        ...(choice ? { device: choice } : {}),
      })
      .then((device) => ({ pool: made, device }));
    pool = { of: model, key, ready };
    ready.catch(() => {
      pool = undefined;
    });
    return ready;
  }

  async function cache(
    params: CacheParams,
    model: ModelChoice,
    file: Blob | undefined,
    signal: AbortSignal,
    onProgress: OnProgress,
  ): Promise<CacheResult> {
    if (model.source.type !== 'recall') throw new Error(foreignModelMessage(model.source));
    const choice = chosenBy(params, model);
    const loaded = await load(choice, file, signal, throttled(onProgress));
    const ready = await poolFor(loaded, choice.engine);
    return cacheJob(params, { loaded, ...ready }, signal, onProgress);
  }

  const headOf = createCacheHeadJob();

  async function cacheHead(
    params: CacheParams,
    model: ModelChoice,
    file: Blob | undefined,
    place: CacheHeadPlace,
    signal: AbortSignal,
    onProgress: OnProgress,
  ): Promise<CacheHead> {
    if (model.source.type !== 'recall') throw new Error(foreignModelMessage(model.source));
    const choice = chosenBy(params, model);
    const loaded = await load(choice, file, signal, throttled(onProgress));
    throwIfAborted(signal);
    return headOf(params, loaded, place);
  }

  return { load, run, cache, cacheHead };
}
