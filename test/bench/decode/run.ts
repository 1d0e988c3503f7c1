import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { median } from '../../../lib/gpu/measure';
import type { CacheStorage, TensorStorage } from '../../../lib/spec/kinds/decode';
import { openPage, type TestPage } from '../../browser/open-page';
import { browserSeconds, call } from '../attention/drive';
import type { Ready } from './page';

const ROOT = new URL('../../..', import.meta.url).pathname;
const REPORT = `${ROOT}test-results/bench-decode.json`;
const WARMUP_RUNS = 2;
/** Short runs repeat until so much time has passed: a call of the page costs some of its own. */
const LEAST_MILLISECONDS = 250;
const MOST_RUNS = 100;

const codes = (bits: 2 | 4 | 8, granularity: object = { type: 'token' }): TensorStorage =>
  ({ type: 'quantised', bits, mode: 'asymmetric', scaleType: 'f16', granularity }) as TensorStorage;
const both = (each: TensorStorage): Omit<CacheStorage, 'name'> => ({ key: each, value: each });

const STORAGES: Readonly<Record<string, Omit<CacheStorage, 'name'>>> = {
  f32: both({ type: 'f32' }),
  f16: both({ type: 'f16' }),
  bf16: both({ type: 'bf16' }),
  int8: both(codes(8)),
  int4: both(codes(4)),
  'int4-grouped': both(codes(4, { type: 'grouped', groupChannels: 32 })),
  'int4-tied': { key: codes(4, { type: 'rope-pair', groupTokens: 32 }), value: codes(4) },
  kivi2: { key: codes(2, { type: 'channel', groupTokens: 32 }), value: codes(2) },
};

interface Options {
  readonly keys: readonly number[];
  readonly heads: readonly (readonly [queryHeads: number, kvHeads: number])[];
  readonly headSizes: readonly number[];
  readonly storages: readonly string[];
  readonly pageTokens: number;
  /** Every kernel that a storage has, not only the page's choice. */
  readonly isAll: boolean;
  readonly isJson: boolean;
}

async function measured(page: TestPage) {
  await call(page, 'sample', WARMUP_RUNS);
  const [first = 1] = await call<number[]>(page, 'sample', 1);
  const runs = Math.min(MOST_RUNS, Math.max(5, Math.ceil(LEAST_MILLISECONDS / first)));
  const before = browserSeconds();
  const wall = await call<number[]>(page, 'sample', runs);
  const after = browserSeconds();
  const error = await call<{ maxAbs: number; withinTolerance: boolean }>(page, 'finish');
  return {
    runs,
    wallMilliseconds: median(wall),
    processorMilliseconds:
      before === undefined || after === undefined ? undefined : ((after - before) / runs) * 1000,
    ...error,
  };
}

/** A decode step by storage, every kernel in processor time of one browser, in one run. */
async function benchDecode(options: Options) {
  const say = options.isJson ? console.error : console.log;
  const page = await openPage({ '/bench.js': 'test/bench/decode/page.ts' });
  const samples = [];
  try {
    for (const headSize of options.headSizes) {
      for (const [queryHeads, kvHeads] of options.heads) {
        for (const keys of options.keys) {
          const shape = { batch: 1, queryHeads, kvHeads, queries: 1, keys, headSize };
          const layout =
            options.pageTokens === 0
              ? { type: 'contiguous' }
              : { type: 'paged', pageTokens: options.pageTokens, lengths: 'equal' };
          await call(page, 'shape', { shape, layout });
          for (const name of options.storages) {
            const storage = { name, ...(STORAGES[name === 'wasm' ? 'f32' : name] ?? {}) };
            let candidates = 1;
            for (let i = 0; i < candidates; i++) {
              let ready: Ready;
              try {
                ready =
                  name === 'wasm'
                    ? await call<Ready>(page, 'prepareWasm', storage)
                    : await call<Ready>(page, 'prepare', storage, i);
              } catch (error) {
                say(`${name} candidate ${i}: ${(error as Error).message.split('\n')[0]}`);
                continue;
              }
              if (options.isAll) candidates = ready.candidates;
              const sample = { storage: name, shape, ...ready, ...(await measured(page)) };
              samples.push(sample);
              const cost = sample.processorMilliseconds ?? sample.wallMilliseconds;
              say(
                `${queryHeads}:${kvHeads} d ${String(headSize).padEnd(3)} ${String(keys).padStart(6)} keys  ${name.padEnd(12)} processor ${cost.toFixed(2).padStart(7)} ms  wall ${sample.wallMilliseconds.toFixed(2).padStart(7)} ms  ${(ready.readBytes / cost / 1e6).toFixed(2)} GB/s  ${sample.withinTolerance ? 'correct' : `WRONG by ${sample.maxAbs}`}  ${ready.plan}`,
              );
            }
          }
        }
      }
    }
  } finally {
    await page.close();
  }
  return {
    method: `mean processor time of the runs in ${LEAST_MILLISECONDS} ms and 5 at least, after ${WARMUP_RUNS} warm-ups, over all processes of the browser; wasm on one thread over dequantised tensors`,
    adapter: 'SwiftShader, a software adapter: ratios here say nothing about a GPU',
    machine: { processor: cpus()[0]?.model, cores: cpus().length },
    date: new Date().toISOString(),
    samples,
  };
}

const USAGE = `usage: npm run --silent bench:decode -- [--keys 4096,16384] [--heads 4:4,8:2] [--head-sizes 64,128]
  [--storages wasm,${Object.keys(STORAGES).join(',')}] [--pages 16] [--all] [--json]`;

/** The bench's options from the command line; throws a sentence. */
function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      keys: { type: 'string', default: '4096,16384' },
      heads: { type: 'string', default: '4:4,8:2' },
      'head-sizes': { type: 'string', default: '64,128' },
      storages: { type: 'string', default: ['wasm', ...Object.keys(STORAGES)].join(',') },
      pages: { type: 'string', default: '0' },
      all: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) throw new Error(USAGE);
  const whole = (name: string, text: string, least: number, most: number) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new Error(`invalid --${name}: ${text} (expected ${least}..${most})\n${USAGE}`);
  };
  const storages = values.storages.split(',');
  for (const name of storages) {
    if (name === 'wasm' || name in STORAGES) continue;
    throw new Error(`unknown storage: ${name}\n${USAGE}`);
  }
  return {
    keys: values.keys.split(',').map((text) => whole('keys', text, 1, 65_536)),
    heads: values.heads.split(',').map((text) => {
      const [queryHeads = '', kvHeads = ''] = text.split(':');
      return [whole('heads', queryHeads, 1, 64), whole('heads', kvHeads, 1, 64)] as const;
    }),
    headSizes: values['head-sizes'].split(',').map((text) => whole('head-sizes', text, 4, 256)),
    storages,
    pageTokens: whole('pages', values.pages, 0, 32),
    isAll: values.all,
    isJson: values.json,
  };
}

let options: Options;
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exit(2);
}
const report = await benchDecode(options);
if (options.isJson) console.log(JSON.stringify(report));
else {
  mkdirSync(`${ROOT}test-results`, { recursive: true });
  writeFileSync(REPORT, `${JSON.stringify(report, undefined, 1)}\n`);
  console.log(`report: ${REPORT}`);
}
