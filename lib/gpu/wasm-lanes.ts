import type { LaneAnswer, LaneCall, LaneMessage } from '../wasm/lane';

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
  #answers: (() => void)[] = [];
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

  get problem(): string | undefined {
    return this.#problem;
  }

  /** Gives every thread the call; rejects where one could not start, and there is one thread from then on. */
  async load(call: LaneCall): Promise<void> {
    while (this.#workers.length < call.lanes - 1) this.#workers.push(this.#start());
    await this.#ask((worker, i) =>
      worker.postMessage(message({ type: 'load', call, lane: i + 1 })),
    );
  }

  /** Lets the threads take blocks; resolves when none is left for them. */
  run(): Promise<void> {
    return this.#ask((worker) => worker.postMessage(message({ type: 'run' })));
  }

  /** Lets the threads forget the call's memory. */
  unload(): void {
    for (const worker of this.#workers) worker.postMessage(message({ type: 'unload' }));
  }

  #start(): LaneWorker {
    const worker = (this.#spawn as () => LaneWorker)();
    worker.addEventListener('message', (event) => {
      const { type } = (event as MessageEvent<LaneAnswer>).data;
      if (type === 'loaded' || type === 'done') this.#answers.pop()?.();
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
  async #ask(send: (worker: LaneWorker, index: number) => void): Promise<void> {
    const workers = this.#workers;
    const answered = new Promise<void>((_, reject) => {
      this.#fail = reject;
    });
    const all = Promise.all(
      workers.map(
        () =>
          new Promise<void>((resolve) => {
            this.#answers.push(resolve);
          }),
      ),
    );
    workers.forEach(send);
    try {
      await Promise.race([all, answered]);
    } finally {
      this.#fail = undefined;
      this.#answers = [];
    }
  }
}

const message = (value: LaneMessage): LaneMessage => value;
