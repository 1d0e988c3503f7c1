import type { AttentionInputs } from '../attention/types';
import type { AttentionParams } from '../spec/kinds/attention';
import type { ResidentAttention } from './resident';

/** What a map needs of a finished attention call. */
export interface ResidentCall {
  readonly inputs: AttentionInputs;
  /** [batch, queryHeads, queries]; -Infinity where a row is fully masked. */
  readonly lse: Float32Array | Float64Array;
  /** The tensors on the device; undefined for a call that ran on the CPU. */
  readonly device: ResidentAttention | undefined;
}

interface Slot {
  readonly call: ResidentCall;
  readonly bytes: number;
  users: number;
}

/** Identity of the tensors: engine and number of timed runs do not change them. */
export function residentKey({ shape, structure, variant, select, seed }: AttentionParams): string {
  return JSON.stringify([shape, structure, variant, select, seed]);
}

function bytesOf({ inputs, lse, device }: ResidentCall): number {
  const { query, key, value } = inputs;
  const host = query.byteLength + key.byteLength + value.byteLength + lse.byteLength;
  return host + (device?.bytes ?? 0);
}

/** Finished calls, least recently used first out above a number of bytes; calls in use stay. */
export class Residents {
  readonly #slots = new Map<string, Slot>();
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  has(key: string): boolean {
    return this.#slots.has(key);
  }

  add(key: string, call: ResidentCall): void {
    this.#remove(key);
    this.#slots.set(key, { call, bytes: bytesOf(call), users: 0 });
    let total = 0;
    for (const { bytes } of this.#slots.values()) total += bytes;
    for (const [each, slot] of this.#slots) {
      if (total <= this.#maxBytes) break;
      if (each === key || slot.users > 0) continue;
      total -= slot.bytes;
      this.#remove(each);
    }
  }

  /** Runs `use` over a call that cannot be evicted meanwhile. */
  async use<T>(key: string, use: (call: ResidentCall) => Promise<T>): Promise<T> {
    const slot = this.#slots.get(key);
    if (slot === undefined) throw new Error(`not resident: ${key}`);
    this.#slots.delete(key);
    this.#slots.set(key, slot);
    slot.users++;
    try {
      return await use(slot.call);
    } finally {
      slot.users--;
    }
  }

  /** Forgets everything, after the device is gone. */
  clear(): void {
    for (const key of [...this.#slots.keys()]) this.#remove(key);
  }

  #remove(key: string): void {
    this.#slots.get(key)?.call.device?.destroy();
    this.#slots.delete(key);
  }
}
