import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { STATE_RULES } from '../../../lib/attention/recurrent/cases';
import type { RecurrentShape, StateRule } from '../../../lib/attention/recurrent/types';
import { recurrentBytes, recurrentFlops } from '../../../lib/attention/recurrent/work';
import { placeUnderRoof } from '../../../lib/attention/roofline';
import { median } from '../../../lib/gpu/measure';
import { openPage, type TestPage } from '../../browser/open-page';
import { browserSeconds, call } from '../attention/drive';

const ROOT = new URL('../../..', import.meta.url).pathname;
const REPORT = `${ROOT}test-results/bench-linear.json`;
const WARMUP_RUNS = 2;
const RUNS = 9;
/** Short runs repeat until so much time has passed: a call of the page costs some of its own. */
const LEAST_MILLISECONDS = 200;
const MOST_RUNS = 500;

const MATMUL_SIZE = 512;
/** A roof is the best of several looks. */
const MATMUL_LOOKS = 3;

/** What computes a rule: the kernels on the adapter, or WebAssembly SIMD on one thread. */
type BenchEngine = 'webgpu' | 'wasm';

interface Cost {
  readonly wallMilliseconds: number;
  /** Mean over all processes of the browser; undefined where the system does not tell. */
  readonly processorMilliseconds: number | undefined;
}

async function timeOf(page: TestPage, name: string, fewest: number): Promise<Cost> {
  await call(page, 'sample', name, WARMUP_RUNS);
  const each = Math.min(...(await call<number[]>(page, 'sample', name, WARMUP_RUNS)));
  const enough = Math.ceil(LEAST_MILLISECONDS / Math.max(each, 1e-3));
  const runs = Math.max(fewest, Math.min(enough, MOST_RUNS));
  const before = browserSeconds();
  const wall = await call<number[]>(page, 'sample', name, runs);
  const after = browserSeconds();
  return {
    wallMilliseconds: median(wall),
    processorMilliseconds:
      before === undefined || after === undefined ? undefined : ((after - before) / runs) * 1000,
  };
}

/** Processor time where the system tells it, which other work on the machine does not move. */
const cost = ({ wallMilliseconds, processorMilliseconds }: Cost) =>
  processorMilliseconds ?? wallMilliseconds;

async function probeCost(
  page: TestPage,
  engine: BenchEngine,
  name: 'copy' | 'matmul',
  size: number,
  runs: number,
) {
  await call(page, name, engine, size);
  const time = await timeOf(page, name, runs);
  await call(page, 'finish', name);
  return time;
}

interface LinearOptions {
  readonly shapes: readonly RecurrentShape[];
  readonly rules: readonly (readonly [string, StateRule])[];
  readonly engine: BenchEngine;
  readonly plan: string | undefined;
  readonly runs: number;
  readonly say: (line: string) => void;
}

async function measureRule(
  page: TestPage,
  name: string,
  rule: StateRule,
  options: LinearOptions & {
    readonly shape: RecurrentShape;
    readonly matmulGigaflops: number;
    readonly hasAdapter: boolean;
  },
) {
  const { engine, shape, runs, say, matmulGigaflops } = options;
  const flops = recurrentFlops(rule, shape);
  const bytes = recurrentBytes(rule, shape);
  // Right before the rule, so that both meet the same machine.
  const copy = await probeCost(page, engine, 'copy', bytes, runs);
  const detail = await call<string>(page, 'rule', engine, rule, shape, options.plan);
  const time = await timeOf(page, 'rule', runs);
  const error = await call<{ maxAbs: number; withinTolerance: boolean }>(page, 'finish', 'rule');
  const gigaflopsPerSecond = flops / cost(time) / 1e6;
  const place = placeUnderRoof(
    {
      matmulGigaflopsPerSecond: matmulGigaflops,
      copyGigabytesPerSecond: bytes / cost(copy) / 1e6,
      clock: 'performance.now',
      measuredSeconds: 0,
    },
    { flops, gigaflopsPerSecond },
    bytes,
  );
  const timesCopy = cost(time) / cost(copy);
  const timesRoof = 100 / place.percent;
  // What a page reaches without a GPU, beside what its adapter's own copy would take.
  const adapterCopy =
    engine === 'wasm' && options.hasAdapter
      ? cost(await probeCost(page, 'webgpu', 'copy', bytes, runs))
      : undefined;
  const timesAdapterCopy = adapterCopy === undefined ? undefined : cost(time) / adapterCopy;
  say(
    `${name.padEnd(26)} T ${shape.tokens} H ${shape.heads} d ${shape.keySize}x${shape.valueSize}  processor ${cost(time).toFixed(1).padStart(6)} ms  wall ${time.wallMilliseconds.toFixed(1).padStart(6)} ms  ${gigaflopsPerSecond.toFixed(2)} GFLOP/s  copy ${cost(copy).toFixed(1).padStart(5)} ms  ${timesCopy.toFixed(1)} x copy  ${timesAdapterCopy === undefined ? '' : `${timesAdapterCopy.toFixed(2)} x the adapter's copy  `}${timesRoof.toFixed(2)} x ${place.bound} roof  ${error.withinTolerance ? 'correct' : `WRONG by ${error.maxAbs}`}  ${detail}`,
  );
  return {
    rule: name,
    shape,
    detail,
    ...time,
    gigaflopsPerSecond,
    copyMilliseconds: cost(copy),
    timesCopy,
    adapterCopyMilliseconds: adapterCopy,
    timesAdapterCopy,
    bound: place.bound,
    /** Under the lesser of the matmul roof and intensity x copy bandwidth; above 100 the kernel beats the matmul. */
    percentOfRoof: place.percent,
    /** The time over that of the same roof. */
    timesRoof,
    maxAbsError: error.maxAbs,
    withinTolerance: error.withinTolerance,
  };
}

/**
 * Every rule of the recurrent kernels beside a copy of the bytes that it must move and the best
 * matmul, all in processor time of one browser: rates are per second of one processor.
 */
export async function benchLinear(options: LinearOptions) {
  const page = await openPage({ '/bench.js': 'test/bench/linear/page.ts' });
  try {
    let matmulGigaflops = 0;
    for (let look = 0; look < MATMUL_LOOKS; look++) {
      const time = await probeCost(page, options.engine, 'matmul', MATMUL_SIZE, options.runs);
      matmulGigaflops = Math.max(matmulGigaflops, (2 * MATMUL_SIZE ** 3) / cost(time) / 1e6);
    }
    options.say(`matmul ${MATMUL_SIZE}: ${matmulGigaflops.toFixed(2)} GFLOP/s per processor`);
    const hasAdapter = await call<boolean>(page, 'hasAdapter');
    const samples = [];
    for (const shape of options.shapes) {
      for (const [name, rule] of options.rules) {
        samples.push(
          await measureRule(page, name, rule, { ...options, shape, matmulGigaflops, hasAdapter }),
        );
      }
    }
    for (const [name, what] of ROOFS) {
      const ratios = samples.flatMap((each) => each[name] ?? []);
      if (ratios.length === 0) continue;
      const within = ratios.filter((each) => each <= 2).length;
      options.say(`${within} of ${ratios.length} within 2 x of ${what}`);
    }
    return {
      method: `mean processor time of ${options.runs} runs and more, ${LEAST_MILLISECONDS} ms of them, after ${2 * WARMUP_RUNS} warm-ups, over all processes of the browser; flops of the token-by-token form`,
      engine: options.engine,
      adapter: 'SwiftShader, a software adapter: ratios here say nothing about a GPU',
      machine: { processor: cpus()[0]?.model, cores: cpus().length },
      date: new Date().toISOString(),
      matmulGigaflopsPerProcessorSecond: matmulGigaflops,
      samples,
    };
  } finally {
    await page.close();
  }
}

const ROOFS = [
  ['timesCopy', 'a copy of their bytes by the same engine'],
  ['timesAdapterCopy', "the adapter's copy of their bytes"],
  ['timesRoof', 'their roof'],
] as const;

const USAGE = `usage: npm run --silent bench:linear -- [--sizes 16,32,64] [--tokens 2048] [--heads 4]
  [--rules additive,delta] [--engine webgpu] [--plan recurrent-quad-16x1] [--runs 9] [--json]`;

/** The bench's options from the command line; throws a sentence. */
function readOptions(args: readonly string[]): LinearOptions & { readonly isJson: boolean } {
  const { values } = parseArgs({
    args: [...args],
    options: {
      sizes: { type: 'string', default: '16,32,64' },
      tokens: { type: 'string', default: '2048' },
      heads: { type: 'string', default: '4' },
      rules: { type: 'string' },
      engine: { type: 'string', default: 'webgpu' },
      plan: { type: 'string' },
      runs: { type: 'string', default: String(RUNS) },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) throw new Error(USAGE);
  const whole = (name: string, text: string, most: number) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= 1 && value <= most) return value;
    throw new Error(`invalid --${name}: ${text} (expected 1..${most})\n${USAGE}`);
  };
  const names = values.rules?.split(',') ?? STATE_RULES.map(([name]) => name);
  for (const name of names) {
    if (STATE_RULES.some(([known]) => known === name)) continue;
    throw new Error(
      `unknown rule: ${name} (known: ${STATE_RULES.map(([known]) => known).join('; ')})\n${USAGE}`,
    );
  }
  const { engine } = values;
  if (engine !== 'webgpu' && engine !== 'wasm') {
    throw new Error(`unknown engine: ${engine} (known: webgpu, wasm)\n${USAGE}`);
  }
  return {
    engine,
    shapes: values.sizes.split(',').map((text) => {
      const size = whole('sizes', text, 128);
      return {
        batch: 1,
        heads: whole('heads', values.heads, 64),
        tokens: whole('tokens', values.tokens, 65_536),
        keySize: size,
        valueSize: size,
      };
    }),
    rules: STATE_RULES.filter(([name]) => names.includes(name)),
    plan: values.plan,
    runs: whole('runs', values.runs, 500),
    say: values.json ? console.error : console.log,
    isJson: values.json,
  };
}

let options: ReturnType<typeof readOptions>;
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exit(2);
}
const report = await benchLinear(options);
if (options.isJson) console.log(JSON.stringify(report));
else {
  mkdirSync(`${ROOT}test-results`, { recursive: true });
  writeFileSync(REPORT, `${JSON.stringify(report, undefined, 1)}\n`);
  console.log(`report: ${REPORT}`);
}
