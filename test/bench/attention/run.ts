import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { median } from '../../../lib/gpu/measure';
import type { AttentionShape } from '../../../lib/spec/kinds/attention';
import type { TestPage } from '../../browser/open-page';
import { browserSeconds, call, openBench, type Ready } from './drive';
import { ENGINE_NAMES, type EngineName } from './engine';
import { benchSparse } from './sparse';

const ROOT = new URL('../../..', import.meta.url).pathname;
const REPORT = `${ROOT}test-results/bench-attention.json`;
/** Fewer where there are fewer runs. */
const WARMUP_RUNS = 2;
const RUNS = 5;
const MOST_RUNS = 50;
const PREFILL = [256, 512, 1024, 2048];
const DECODE = [1024, 4096, 16_384];

interface Sample {
  readonly engine: EngineName;
  readonly detail: string;
  readonly queryHeads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly queries: number;
  readonly keys: number;
  /** Timed runs, after at least one that is not. */
  readonly runs: number;
  readonly wallMilliseconds: number | undefined;
  /** Mean of the timed runs over all processes of the browser; undefined where the system does not tell. */
  readonly processorMilliseconds: number | undefined;
  readonly maxAbsError: number | undefined;
  readonly withinTolerance: boolean;
  readonly error: string | undefined;
}

async function measureEngine(
  page: TestPage,
  engine: EngineName,
  sizes: AttentionShape,
  mostRuns: number,
  secondsPerSample: number,
) {
  const { queryHeads, kvHeads, headSize, queries, keys } = sizes;
  const shape = { engine, queryHeads, kvHeads, headSize, queries, keys };
  try {
    const { detail } = await call<Ready>(page, 'prepare', engine, { shape: sizes });
    const [firstMilliseconds = 0] = await call<number[]>(page, 'sample', 1);
    const affordable = Math.max(1, Math.floor((1000 * secondsPerSample) / firstMilliseconds));
    const runs = Math.min(mostRuns, affordable);
    if (runs > 1) await call(page, 'sample', Math.min(WARMUP_RUNS, runs) - 1);
    const before = browserSeconds();
    const wall = await call<number[]>(page, 'sample', runs);
    const after = browserSeconds();
    const { maxAbs, withinTolerance } = await call<{ maxAbs: number; withinTolerance: boolean }>(
      page,
      'check',
    );
    return {
      ...shape,
      detail,
      runs,
      wallMilliseconds: median(wall),
      processorMilliseconds:
        before === undefined || after === undefined ? undefined : ((after - before) / runs) * 1000,
      maxAbsError: maxAbs,
      withinTolerance,
      error: undefined,
    } satisfies Sample;
  } catch (error) {
    return {
      ...shape,
      detail: '',
      runs: 0,
      wallMilliseconds: undefined,
      processorMilliseconds: undefined,
      maxAbsError: undefined,
      withinTolerance: false,
      error: error instanceof Error ? error.message.split('\n')[0]! : String(error),
    } satisfies Sample;
  }
}

interface Heads {
  readonly queryHeads: number;
  readonly kvHeads: number;
}

interface BenchOptions {
  readonly prefill: readonly number[];
  readonly decode: readonly number[];
  readonly heads: readonly Heads[];
  readonly headSizes: readonly number[];
  readonly engines: readonly EngineName[];
  readonly runs: number;
  /** Fewer runs of what takes longer together. */
  readonly secondsPerSample: number;
  /** Prints the document to standard output and nothing else there. */
  readonly isJson: boolean;
  /** Our engines over masks of falling density instead. */
  readonly isSparse: boolean;
  /** Of those, the ones whose name contains this. */
  readonly calls: string;
}

/** Every length for every kind of heads; prompts first. */
function shapesOf({ prefill, decode, heads, headSizes }: BenchOptions): AttentionShape[] {
  const lengths = [...prefill.map((n) => [n, n]), ...decode.map((n) => [1, n])];
  return heads.flatMap(({ queryHeads, kvHeads }) =>
    headSizes.flatMap((headSize) =>
      lengths.map(([queries = 1, keys = 1]) => ({
        batch: 1,
        queryHeads,
        kvHeads,
        queries,
        keys,
        headSize,
      })),
    ),
  );
}

/**
 * Our kernel beside its peers: f32, causal prefill and decode. One page per engine, engines of a
 * shape in turn, inputs on the device, median of 5 after 2 warm-ups, every output checked against
 * the f64 reference.
 */
export async function benchAttention(options: BenchOptions) {
  const { engines } = options;
  const pages = new Map<EngineName, TestPage>();
  const samples: Sample[] = [];
  const say = options.isJson ? console.error : console.log;
  try {
    for (const engine of engines) {
      pages.set(engine, await openBench());
    }
    for (const shape of shapesOf(options)) {
      const { queries, keys, queryHeads, kvHeads, headSize } = shape;
      for (const [engine, page] of pages) {
        const sample = await measureEngine(
          page,
          engine,
          shape,
          options.runs,
          options.secondsPerSample,
        );
        samples.push(sample);
        const number = (value: number | undefined) => (value?.toFixed(1) ?? '-').padStart(9);
        say(
          `${queries === 1 ? 'decode ' : 'prefill'} ${queryHeads}:${kvHeads} x ${String(headSize).padEnd(3)} ${String(keys).padStart(6)}  ${engine.padEnd(15)} wall ${number(sample.wallMilliseconds)} ms  processor ${number(sample.processorMilliseconds)} ms  ${sample.error ?? (sample.withinTolerance ? 'correct' : `WRONG by ${sample.maxAbsError}`)}  ${sample.detail}`,
        );
      }
    }
  } finally {
    for (const page of pages.values()) await page.close();
  }
  return {
    shape: { batch: 1, precision: 'f32', mask: 'causal' },
    method: `median of ${options.runs} after ${Math.min(WARMUP_RUNS, options.runs)} warm-ups, of fewer where those take over ${options.secondsPerSample} s; onnxruntime-web without the subgroups feature`,
    adapter: 'SwiftShader, a software adapter: ratios here say nothing about a GPU',
    machine: { processor: cpus()[0]?.model, cores: cpus().length },
    date: new Date().toISOString(),
    samples,
  };
}

const USAGE = `usage: npm run --silent bench:attention -- [--shapes 256,512] [--decode 1024,4096]
  [--heads 4:4,8:2] [--head-size 64,128] [--engines headroom,jax-js] [--runs 5] [--seconds 600] [--json]
  --heads: query heads, and KV heads where they are fewer
  --seconds: of the runs of one engine and shape; what takes longer has fewer runs
  --sparse [--calls window]: those of --engines that are ours over masks and selections of falling density; N is the
  last of --shapes, and heads and their size the first`;

/** The bench's options from the command line; throws a sentence. */
function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      shapes: { type: 'string' },
      decode: { type: 'string' },
      heads: { type: 'string', default: '4' },
      'head-size': { type: 'string', default: '64' },
      engines: { type: 'string' },
      runs: { type: 'string', default: String(RUNS) },
      seconds: { type: 'string', default: '600' },
      json: { type: 'boolean', default: false },
      sparse: { type: 'boolean', default: false },
      calls: { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) throw new Error(USAGE);
  const whole = (name: string, text: string, most: number) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= 1 && value <= most) return value;
    throw new Error(`invalid --${name}: ${text} (expected 1..${most})\n${USAGE}`);
  };
  const list = (name: string, text: string) =>
    text === '' ? [] : text.split(',').map((each) => whole(name, each, 65_536));
  // Naming one of the two leaves the other out.
  const isWhole = values.shapes === undefined && values.decode === undefined;
  const heads = values.heads.split(',').map((each) => {
    const [query = '', kv = query, ...rest] = each.split(':');
    const queryHeads = whole('heads', query, 64);
    const kvHeads = whole('heads', kv, queryHeads);
    if (rest.length === 0 && queryHeads % kvHeads === 0) return { queryHeads, kvHeads };
    throw new Error(
      `invalid --heads: ${each} (expected query heads, or query heads:KV heads)\n${USAGE}`,
    );
  });
  const engines = values.engines?.split(',') ?? ENGINE_NAMES;
  for (const name of engines) {
    if (!ENGINE_NAMES.some((known) => known === name)) {
      throw new Error(`unknown engine: ${name} (known: ${ENGINE_NAMES.join(', ')})\n${USAGE}`);
    }
  }
  return {
    prefill: isWhole ? PREFILL : list('shapes', values.shapes ?? ''),
    decode: isWhole ? DECODE : list('decode', values.decode ?? ''),
    heads,
    headSizes: values['head-size'].split(',').map((each) => whole('head-size', each, 256)),
    engines: engines as readonly EngineName[],
    runs: whole('runs', values.runs, MOST_RUNS),
    secondsPerSample: whole('seconds', values.seconds, 3600),
    isJson: values.json,
    isSparse: values.sparse,
    calls: values.calls,
  };
}

let options: BenchOptions;
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exit(2);
}
const report = options.isSparse
  ? await benchSparse(
      {
        ...options,
        ...(options.heads[0] as Heads),
        headSize: options.headSizes[0] as number,
        tokens: options.prefill.at(-1) ?? 2048,
      },
      options.isJson ? console.error : console.log,
    )
  : await benchAttention(options);
if (options.isJson) console.log(JSON.stringify(report));
else {
  mkdirSync(`${ROOT}test-results`, { recursive: true });
  writeFileSync(REPORT, `${JSON.stringify(report, undefined, 1)}\n`);
  console.log(`report: ${REPORT}`);
}
