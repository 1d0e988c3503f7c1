import { readFileSync } from 'node:fs';
import { openPage, type TestPage } from '../../browser/open-page';
import { processorSeconds, processTree } from '../../browser/processor-time.mjs';

const ROOT = new URL('../../..', import.meta.url).pathname;

/** What the page says of a call that it made ready. */
export interface Ready {
  readonly detail: string;
  /** Unmasked pairs over all pairs. */
  readonly density: number;
  /** Visited blocks over all blocks; the density where the engine does not work in blocks. */
  readonly blockDensity: number;
  /** Wall time of making ready: block list, masks, upload; a kernel's compilation where it is the first. */
  readonly prepareMilliseconds: number;
  /** Processor time of selecting keys, every head; 0 where none were selected. */
  readonly selectionMilliseconds: number;
}

/** A page with the bench's entry, for one engine. */
export const openBench = (): Promise<TestPage> =>
  openPage({ '/bench.js': 'test/bench/attention/page.ts' }, { extra: ortFile });

/** onnxruntime's own files, from the installed package. */
function ortFile(path: string) {
  if (!/^\/ort\/[\w.-]+$/.test(path)) return undefined;
  const body = readFileSync(`${ROOT}node_modules/onnxruntime-web/dist/${path.slice(5)}`);
  return { type: path.endsWith('.wasm') ? 'application/wasm' : 'text/javascript', body };
}

export function call<T>({ page }: TestPage, name: string, ...args: unknown[]): Promise<T> {
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

/** Processor seconds of all processes of the browser so far; undefined where the system does not tell. */
export const browserSeconds = () => {
  const own = process.pid;
  return processorSeconds(processTree(own).filter((pid) => pid !== own));
};
