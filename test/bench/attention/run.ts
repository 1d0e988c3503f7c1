import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { median } from '../../../lib/gpu/measure';
import { openPage, type TestPage } from '../../browser/open-page';
import { processorSeconds, processTree } from '../../browser/processor-time.mjs';
import { ENGINE_NAMES, type EngineName } from './engine';

const ROOT = new URL('../../..', import.meta.url).pathname;
const WARMUP_RUNS = 2;
const RUNS = 5;
const PREFILL = [256, 512, 1024, 2048];
const DECODE = [1024, 4096, 16_384];

interface Sample {
  readonly engine: EngineName;
  readonly detail: string;
  readonly queries: number;
  readonly keys: number;
  readonly wallMilliseconds: number | undefined;
  /** Mean of the timed runs over all processes of the browser; undefined where the system does not tell. */
  readonly processorMilliseconds: number | undefined;
  readonly maxAbsError: number | undefined;
  readonly withinTolerance: boolean;
  readonly error: string | undefined;
}

/** onnxruntime's own files, from the installed package. */
function ortFile(path: string) {
  if (!/^\/ort\/[\w.-]+$/.test(path)) return undefined;
  const body = readFileSync(`${ROOT}node_modules/onnxruntime-web/dist/${path.slice(5)}`);
  return { type: path.endsWith('.wasm') ? 'application/wasm' : 'text/javascript', body };
}

function call<T>({ page }: TestPage, name: string, ...args: unknown[]): Promise<T> {
  return page.evaluate(
    ([each, values]) => {
      const { kernelTests } = globalThis as unknown as {
        kernelTests: Record<string, (...list: unknown[]) => unknown>;
      };
      return kernelTests[each as string]!(...(values as unknown[]));
    },
    [name, args] as const,
  ) as Promise<T>;
}

const browserSeconds = () => {
  const own = process.pid;
  return processorSeconds(processTree(own).filter((pid) => pid !== own));
};

async function measureEngine(page: TestPage, engine: EngineName, queries: number, keys: number) {
  const shape = { engine, queries, keys };
  try {
    const detail = await call<string>(page, 'prepare', engine, queries, keys);
    await call(page, 'sample', WARMUP_RUNS);
    const before = browserSeconds();
    const wall = await call<number[]>(page, 'sample', RUNS);
    const after = browserSeconds();
    const { maxAbs, withinTolerance } = await call<{ maxAbs: number; withinTolerance: boolean }>(
      page,
      'check',
    );
    return {
      ...shape,
      detail,
      wallMilliseconds: median(wall),
      processorMilliseconds:
        before === undefined || after === undefined ? undefined : ((after - before) / RUNS) * 1000,
      maxAbsError: maxAbs,
      withinTolerance,
      error: undefined,
    } satisfies Sample;
  } catch (error) {
    return {
      ...shape,
      detail: '',
      wallMilliseconds: undefined,
      processorMilliseconds: undefined,
      maxAbsError: undefined,
      withinTolerance: false,
      error: error instanceof Error ? error.message.split('\n')[0]! : String(error),
    } satisfies Sample;
  }
}

/**
 * Our kernel beside its peers: B = 1, H = 4, D = 64, f32, causal prefill and decode. One page per
 * engine, engines of a shape in turn, inputs on the device, median of 5 after 2 warm-ups, every
 * output checked against the f64 reference.
 */
export async function benchAttention(outputPath: string): Promise<void> {
  const pages = new Map<EngineName, TestPage>();
  const samples: Sample[] = [];
  const only = process.env.BENCH_KEYS?.split(',').map(Number);
  try {
    for (const engine of ENGINE_NAMES) {
      pages.set(
        engine,
        await openPage({ '/bench.js': 'test/bench/attention/page.ts' }, { extra: ortFile }),
      );
    }
    const shapes = [...PREFILL.map((n) => [n, n]), ...DECODE.map((n) => [1, n])] as const;
    for (const [queries = 1, keys = 1] of shapes) {
      if (only !== undefined && !only.includes(keys)) continue;
      for (const [engine, page] of pages) {
        const sample = await measureEngine(page, engine, queries, keys);
        samples.push(sample);
        const number = (value: number | undefined) => (value?.toFixed(1) ?? '-').padStart(9);
        console.log(
          `${queries === 1 ? 'decode ' : 'prefill'} ${String(keys).padStart(6)}  ${engine.padEnd(15)} wall ${number(sample.wallMilliseconds)} ms  processor ${number(sample.processorMilliseconds)} ms  ${sample.error ?? (sample.withinTolerance ? 'correct' : `WRONG by ${sample.maxAbsError}`)}  ${sample.detail}`,
        );
      }
    }
  } finally {
    for (const page of pages.values()) await page.close();
  }
  mkdirSync(new URL('.', `file://${outputPath}`), { recursive: true });
  const report = {
    shape: { batch: 1, heads: 4, headSize: 64, precision: 'f32', mask: 'causal' },
    method: `median of ${RUNS} after ${WARMUP_RUNS} warm-ups; onnxruntime-web without the subgroups feature`,
    machine: { processor: cpus()[0]?.model, cores: cpus().length },
    date: new Date().toISOString(),
    samples,
  };
  writeFileSync(outputPath, `${JSON.stringify(report, undefined, 1)}\n`);
  console.log(`report: ${outputPath}`);
}

await benchAttention(`${ROOT}test-results/bench-attention.json`);
