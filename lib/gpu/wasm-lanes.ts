import type { LaneAnswer, LaneMessage, SharedCall } from '../wasm/lane';
import { probeThread, type ThreadRoof } from '../wasm/roof';

/** More threads than this bring less than they cost to wake. */
const MAX_LANES = 8;

/** The part of `Worker` that a lane needs. */
export type LaneWorker = Pick<Worker, 'postMessage' | 'addEventListener' | 'terminate'>;

/** Threads beside this one for WebAssembly calls; started on first use, kept for the next. */
export class WasmLanes {
  readonly #spawn: (() => LaneWorker) | undefined;
  #workers: LaneWorker[] = [];
  /** Why no threads can be had, once that is known. */
  #problem: string | undefined;
  #answers: ((answer: LaneAnswer) => void)[] = [];
  #fail: ((error: Error) => void) | undefined;

  /** @param spawn starts a lane worker; undefined where there is one thread only */
  constructor(spawn: (() => LaneWorker) | undefined) {
    this.#spawn = spawn;
  }

  /** Threads of a call, this one included; 1 without shared memory. */
  get count(): number {
    const canShare = typeof SharedArrayBuffer === 'function' && globalThis.crossOriginIsolated;
    if (this.#spawn === undefined || this.#problem !== undefined || !canShare) return 1;
    return Math.max(1, Math.min(MAX_LANES, navigator.hardwareConcurrency));
  }

  /** Why a large call has one thread where the machine has more, as a sentence. */
  get problem(): string | undefined {
    if (this.#problem !== undefined) return `no more threads: ${this.#problem}`;
    const isAlone = this.#spawn !== undefined && !globalThis.crossOriginIsolated;
    return isAlone && navigator.hardwareConcurrency > 1
      ? 'no more threads: the page is not cross-origin isolated (its server sends no COOP and COEP headers), so that they cannot share memory'
      : undefined;
  }

  /** Gives every thread the call; rejects where one could not start, and there is one thread from then on. */
  async load(call: SharedCall): Promise<void> {
    while (this.#workers.length < call.lanes - 1) this.#workers.push(this.#start());
    await this.#ask((worker, i) =>
      worker.postMessage(message({ type: 'load', call, lane: i + 1 })),
    );
  }

  /** Lets the threads take blocks; resolves when none is left for them. */
  async run(): Promise<void> {
    await this.#ask((worker) => worker.postMessage(message({ type: 'run' })));
  }

  /** What each of the threads beside this one reaches, all at once; they must be loaded. */
  async probe(): Promise<ThreadRoof[]> {
    const answers = await this.#ask((worker) => worker.postMessage(message({ type: 'probe' })));
    return answers.flatMap((answer) => (answer.type === 'probed' ? [answer.roof] : []));
  }

  /** Lets the threads forget the call's memory. */
  unload(): void {
    for (const worker of this.#workers) worker.postMessage(message({ type: 'unload' }));
  }

  #start(): LaneWorker {
    const worker = (this.#spawn as () => LaneWorker)();
    worker.addEventListener('message', (event) => {
      this.#answers.pop()?.((event as MessageEvent<LaneAnswer>).data);
    });
    worker.addEventListener('error', (event) => {
      this.#problem = (event as ErrorEvent).message || 'a thread could not be loaded';
      for (const each of this.#workers) each.terminate();
      this.#workers = [];
      this.#fail?.(new Error(this.#problem));
    });
    return worker;
  }

  /** Sends to every thread and waits for as many answers. */
  async #ask(send: (worker: LaneWorker, index: number) => void): Promise<LaneAnswer[]> {
    const workers = this.#workers;
    const failed = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    const all = Promise.all(
      workers.map(
        () =>
          new Promise<LaneAnswer>((resolve) => {
            this.#answers.push(resolve);
          }),
      ),
    );
    workers.forEach(send);
    try {
      return await Promise.race([all, failed]);
    } finally {
      this.#fail = undefined;
      this.#answers = [];
    }
  }
}

/** The threads' roofs added up, this one's included; `lanes` must be loaded with a call. */
export async function probeRoof(lanes: WasmLanes | undefined): Promise<ThreadRoof> {
  const others = lanes?.probe() ?? [];
  const all = [probeThread(), ...(await others)];
  const total = (of: (roof: ThreadRoof) => number) => all.reduce((sum, each) => sum + of(each), 0);
  return {
    gigaflopsPerSecond: total(({ gigaflopsPerSecond }) => gigaflopsPerSecond),
    gigabytesPerSecond: total(({ gigabytesPerSecond }) => gigabytesPerSecond),
  };
}

const message = (value: LaneMessage): LaneMessage => value;
