import { instantiateFormula, type PrintedFormula } from '../formula/wasm-modules';
import type { AttentionShape } from '../spec/kinds/attention';
import { createWasmAttention, type WasmAttention } from './attention';
import { fillMasks, type ListMasks, MASK_BYTES } from './list-masks';
import type { ModifyScores, WriteVisible } from './module';
import { createWalker, type RecurrentLaneCall } from './recurrent-walker';
import { probeThread, type ThreadRoof } from './roof';

/** Block lists of every batch entry and head; see `PackedBlockList`. */
export interface LaneLists {
  readonly rows: Uint32Array;
  readonly entries: Uint32Array;
  /** Where the entries lie in the memory too, bytes. */
  readonly address: number;
  readonly stride: number;
  readonly headStride: number;
  readonly queryBlocks: number;
}

/** One call of attention that several threads compute over one memory; plain data, sent to workers. */
export interface LaneCall {
  readonly memory: WebAssembly.Memory;
  readonly shape: AttentionShape;
  /** Bytes of tables and masks at the memory's start. */
  readonly reservedBytes: number;
  /** The variant's formulas as a module; undefined where scores stay as they are. */
  readonly formula: PrintedFormula | undefined;
  readonly lists: LaneLists;
  /** undefined: every run asks the formula. */
  readonly masks: ListMasks | undefined;
  /** Threads, this one included; each has its own scratch. */
  readonly lanes: number;
  /** One number, shared: the next block that nobody has taken. */
  readonly next: Int32Array;
}

/** Query blocks over all heads and batch entries. */
export const laneTasks = ({ shape, lists }: LaneCall): number =>
  shape.batch * shape.queryHeads * lists.queryBlocks;

/** Key blocks between two looks at the clock: less than a millisecond, and many short lists. */
const BLOCKS_PER_LOOK = 64;

/** One thread's part in a call. */
export interface Lane {
  readonly attention: WasmAttention;
  /** Takes blocks until there are none or the time is over; true where there may be more. */
  runSome(milliseconds: number): boolean;
}

/**
 * @param lane which of the call's threads this is; lane 0 writes the masks of the lists, and must
 *   have loaded the inputs before others run
 */
export function createLane(call: LaneCall, lane: number): Lane {
  const { memory, shape, reservedBytes, lists, masks, lanes } = call;
  const formula = call.formula && (instantiateFormula(call.formula, memory) as FormulaExports);
  const attention = createWasmAttention({
    memory,
    reservedBytes,
    instances: lanes,
    instance: lane,
    ...formula,
  });
  if (lane > 0) attention.attach(shape);
  else if (masks && formula?.visible) fillMasks(masks, lists, shape, formula.visible);
  const total = laneTasks(call);
  /** Key blocks of the task. */
  const runTask = (task: number): number => {
    // Head by head, for its keys and values stay in the cache, and forwards, as memory is fetched ahead.
    const block = task % lists.queryBlocks;
    const batchHead = Math.floor(task / lists.queryBlocks);
    const batch = Math.floor(batchHead / shape.queryHeads);
    const head = batchHead % shape.queryHeads;
    const row = batch * lists.stride + head * lists.headStride + block;
    const first = lists.rows[2 * row] as number;
    const count = (lists.rows[2 * row + 2] as number) - first;
    const full = lists.rows[2 * row + 1] as number;
    const ready = masks && masks.address + MASK_BYTES * (masks.starts[row] as number);
    attention.runListed(batch, head, block, lists.address + 4 * first, count, full, ready);
    return count;
  };
  return {
    attention,
    runSome(milliseconds) {
      const end = performance.now() + milliseconds;
      do {
        for (let blocks = 0; blocks < BLOCKS_PER_LOOK; ) {
          const task = Atomics.add(call.next, 0, 1);
          if (task >= total) return false;
          // An empty list takes time too.
          blocks += 1 + runTask(task);
        }
      } while (performance.now() < end);
      return true;
    },
  };
}

interface FormulaExports {
  readonly modify?: ModifyScores;
  readonly visible?: WriteVisible;
}

/** A call that threads share. */
export type SharedCall = LaneCall | RecurrentLaneCall;

/** What a thread is told, and what it answers. */
export type LaneMessage =
  | { readonly type: 'load'; readonly call: SharedCall; readonly lane: number }
  | { readonly type: 'run' }
  | { readonly type: 'probe' }
  | { readonly type: 'unload' };
export type LaneAnswer =
  | { readonly type: 'loaded' | 'done' }
  | { readonly type: 'probed'; readonly roof: ThreadRoof };

/** Serves as a thread of calls: the whole of a lane worker. */
export function serveLane(scope: {
  onmessage: ((event: MessageEvent<LaneMessage>) => void) | null;
  postMessage(answer: LaneAnswer): void;
}): void {
  let lane: Pick<Lane, 'runSome'> | undefined;
  scope.onmessage = ({ data }) => {
    switch (data.type) {
      case 'load':
        lane =
          'layout' in data.call
            ? createWalker(data.call, data.lane)
            : createLane(data.call, data.lane);
        scope.postMessage({ type: 'loaded' });
        return;
      case 'run':
        lane?.runSome(Number.POSITIVE_INFINITY);
        scope.postMessage({ type: 'done' });
        return;
      case 'probe':
        scope.postMessage({ type: 'probed', roof: probeThread() });
        return;
      case 'unload':
        lane = undefined;
    }
  };
}
