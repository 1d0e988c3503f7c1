import type { Encoded, Tier } from '../types';
import { appendRows, noRows, type Rows, readRows, takeRows } from './rows';
import type { HostRun, SlotMeta, SlotRun, SlotState, SlotStorage } from './types';

/** Slots of a head that are held in one form, one after another. */
export type Block =
  | {
      readonly form: 'plain';
      readonly state: SlotState;
      readonly keys: Rows;
      readonly values: Rows;
    }
  | {
      readonly form: 'encoded';
      readonly state: SlotState;
      readonly encoded: Encoded;
      readonly tier: Tier;
      /** Rows of `encoded` that are still slots. Its buffers stay whole until they are replaced. */
      readonly rows: Int32Array;
    };

/**
 * One (layer, KV head). Blocks are never written to before their count, only replaced, so that a
 * snapshot may share them.
 */
export interface HeadState {
  readonly count: number;
  readonly blocks: readonly Block[];
  /** [at least count] */
  readonly positions: Int32Array;
  /** [at least count]; absent while every slot stands for one token. */
  readonly multiplicity?: Float32Array;
  readonly meta: ReadonlyMap<SlotMeta, Float32Array>;
  /** Changes when anything but an append does: what was read of the slots is old. */
  readonly version: number;
  /** Leading slots that are as they were in earlier versions, the latest first; none unless given. */
  readonly before?: readonly Earlier[];
}

/** Slots of a version that a later one begins with. */
export interface Earlier {
  readonly version: number;
  readonly count: number;
}

/** As many versions may pass between two reads and still be told apart. */
const MOST_EARLIER = 4;

let versions = 0;

export function emptyHead(): HeadState {
  return {
    count: 0,
    blocks: [],
    positions: new Int32Array(0),
    meta: new Map(),
    version: ++versions,
  };
}

export const blockSlots = (block: Block): number =>
  block.form === 'plain' ? block.keys.count : block.rows.length;

/** The head with slots after its own. @param keys before RoPE, [positions.length, headSize] */
export function withAppended(
  head: HeadState,
  storage: SlotStorage,
  headSize: number,
  keys: Float32Array,
  values: Float32Array,
  positions: Int32Array,
): HeadState {
  const last = head.blocks.at(-1);
  const open = last?.form === 'plain' && last.state === 'kept' ? last : undefined;
  const block: Block = {
    form: 'plain',
    state: 'kept',
    keys: appendRows(open?.keys ?? noRows(storage), keys, headSize),
    values: appendRows(open?.values ?? noRows(storage), values, headSize),
  };
  const count = head.count + positions.length;
  const room = block.keys.data.length / headSize + (head.count - (open?.keys.count ?? 0));
  const grownPositions = fitted(head.positions, head.count, room, Int32Array);
  grownPositions.set(positions, head.count);
  const { multiplicity } = head;
  // A slot before others shifts their ranks.
  const isAfter = head.count === 0 || positions[0]! > head.positions[head.count - 1]!;
  const { before, ...rest } = head;
  return {
    ...rest,
    ...(before && isAfter ? { before } : {}),
    version: isAfter ? head.version : ++versions,
    count,
    blocks: [...(open ? head.blocks.slice(0, -1) : head.blocks), block],
    positions: grownPositions,
    ...(multiplicity ? { multiplicity: withOnes(multiplicity, head.count, room, count) } : {}),
    meta: new Map(
      [...head.meta].map(([name, column]) => [
        name,
        fitted(column, head.count, room, Float32Array),
      ]),
    ),
  };
}

/** The head with the given slots only, ascending, in buffers of their size. */
export function withKept(head: HeadState, slots: Int32Array, headSize: number): HeadState {
  slots.forEach((slot, i) => {
    const least = i === 0 ? 0 : slots[i - 1]! + 1;
    if (slot < least || slot >= head.count) {
      throw new RangeError(`invalid slot: ${slot} at ${i} (expected ${least}..${head.count - 1})`);
    }
  });
  const blocks: Block[] = [];
  let start = 0;
  for (const block of head.blocks) {
    const end = start + blockSlots(block);
    const own = slots.filter((slot) => slot >= start && slot < end).map((slot) => slot - start);
    start = end;
    if (own.length === 0) continue;
    if (block.form === 'plain') {
      const keys = takeRows(block.keys, own, headSize);
      blocks.push({ ...block, keys, values: takeRows(block.values, own, headSize) });
    } else {
      blocks.push({ ...block, rows: own.map((row) => block.rows[row]!) });
    }
  }
  const { multiplicity } = head;
  const moved = slots.findIndex((slot, i) => slot !== i);
  const same = moved < 0 ? slots.length : moved;
  const pick = (column: Float32Array) => Float32Array.from(slots, (slot) => column[slot]!);
  return {
    count: slots.length,
    blocks,
    positions: slots.map((slot) => head.positions[slot]!),
    ...(multiplicity ? { multiplicity: pick(multiplicity) } : {}),
    meta: new Map([...head.meta].map(([name, column]) => [name, pick(column)])),
    version: ++versions,
    ...(same > 0 ? { before: beginningWith(head, same) } : {}),
  };
}

function beginningWith({ version, before = [] }: HeadState, same: number): readonly Earlier[] {
  const older = before.map((one) => ({ ...one, count: Math.min(one.count, same) }));
  return [{ version, count: same }, ...older].slice(0, MOST_EARLIER);
}

/**
 * Slots of a head that are as they were when `count` slots of a version were read.
 *
 * @param ranks whether a slot's RoPE index follows from the others: then any change may move it
 */
export function unchangedSlots(
  head: HeadState,
  version: number,
  count: number,
  ranks: boolean,
): number {
  if (version === head.version) return Math.min(count, head.count);
  const earlier = ranks ? undefined : head.before?.find((one) => one.version === version);
  return earlier === undefined ? 0 : Math.min(count, earlier.count, head.count);
}

/** A head of exactly these runs. @throws RangeError where a run's columns differ in length */
export function headOf(
  runs: readonly SlotRun[],
  storage: SlotStorage,
  headSize: number,
  scores?: Float32Array,
): HeadState {
  const full = runs.filter((run) => run.positions.length > 0);
  const count = full.reduce((sum, run) => sum + run.positions.length, 0);
  const positions = new Int32Array(count);
  const multiplicity = new Float32Array(count).fill(1);
  let at = 0;
  const blocks = full.map((run): Block => {
    const slots = run.positions.length;
    positions.set(run.positions, at);
    if (run.multiplicity) multiplicity.set(run.multiplicity, at);
    at += slots;
    if (run.form === 'encoded') {
      checkLength('encoded slots', run.encoded.slots, slots);
      const rows = Int32Array.from({ length: slots }, (_, row) => row);
      const { state, encoded, tier = 'device' } = run;
      return { form: 'encoded', state, encoded, tier, rows };
    }
    checkLength('keys', run.keys.length, slots * headSize);
    checkLength('values', run.values.length, slots * headSize);
    const { state = 'kept' } = run;
    const store = (rows: Float32Array) => {
      const { count: stored, data } = appendRows(noRows(storage), rows, headSize);
      // A single row comes with room for a page.
      return { count: stored, data: data.slice(0, stored * headSize) };
    };
    return { form: 'plain', state, keys: store(run.keys), values: store(run.values) };
  });
  if (scores) checkLength('scores', scores.length, count);
  return {
    count,
    blocks,
    positions,
    ...(multiplicity.some((tokens) => tokens !== 1) ? { multiplicity } : {}),
    meta: new Map<SlotMeta, Float32Array>(scores ? [['score', scores.slice()]] : []),
    version: ++versions,
  };
}

/** Keys or values of slots from `start` on as numbers, [count - start, headSize]. */
export function decode(
  head: HeadState,
  what: 'keys' | 'values',
  start: number,
  headSize: number,
): Float32Array {
  const only = head.blocks[0];
  if (head.blocks.length === 1 && only?.form === 'plain') {
    return readRows(only[what], start, headSize);
  }
  const out = new Float32Array((head.count - start) * headSize);
  let at = 0;
  for (const block of head.blocks) {
    const first = Math.max(0, start - at);
    const slots = blockSlots(block);
    if (first < slots) {
      const into = (at + first - start) * headSize;
      if (block.form === 'plain') out.set(readRows(block[what], first, headSize), into);
      else {
        const { encoded, rows } = block;
        const all = what === 'keys' ? encoded.decodeKeys() : encoded.decodeValues();
        for (let i = first; i < slots; i++) {
          const row = rows[i]! * headSize;
          out.set(all.subarray(row, row + headSize), into + (i - first) * headSize);
        }
      }
    }
    at += slots;
  }
  return out;
}

export function hostRunsOf(head: HeadState): HostRun[] {
  let start = 0;
  return head.blocks.flatMap((block) => {
    const firstSlot = start;
    start += blockSlots(block);
    if (block.form === 'plain' || block.tier !== 'host') return [];
    return [{ firstSlot, encoded: block.encoded, rows: block.rows }];
  });
}

function checkLength(name: string, length: number, expected: number): void {
  if (length !== expected) {
    throw new RangeError(`invalid ${name} length: ${length} (expected ${expected})`);
  }
}

/** A column with room for `room` slots; the same one where it has it. */
function fitted<T extends Int32Array | Float32Array>(
  column: T,
  count: number,
  room: number,
  make: new (length: number) => T,
): T {
  // A column with slots after `count` may be shared with a snapshot's later branch: those are old.
  if (column.length >= room) {
    column.fill(0, count);
    return column;
  }
  const larger = new make(room);
  larger.set(column.subarray(0, count) as never);
  return larger;
}

function withOnes(column: Float32Array, count: number, room: number, end: number): Float32Array {
  return fitted(column, count, room, Float32Array).fill(1, count, end);
}
