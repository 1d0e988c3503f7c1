import type { AttentionInputs, AttentionOutput } from '../attention/types';
import { identityOf } from '../run/file-identity';
import type { AttentionCall } from '../run/worker-api';
import type { ResidentAttention } from './resident';

/** What a map needs of a finished attention call. */
export interface ResidentCall {
  readonly inputs: AttentionInputs;
  /** [batch, queryHeads, queries]; -Infinity where a row is fully masked. */
  readonly lse: Float32Array | Float64Array;
  /** [batch, queryHeads, queries, headSize]; undefined where the device has it. */
  readonly output: AttentionOutput['output'] | undefined;
  /** Token of every key, where the file of the inputs names them. */
  readonly tokens?: readonly string[] | undefined;
  /** The tensors on the device; undefined for a call that ran on the CPU. */
  readonly device: ResidentAttention | undefined;
}

interface Slot {
  readonly call: ResidentCall;
  readonly bytes: number;
  users: number;
}

/** Identity of the tensors: the number of timed runs does not change them. */
export function residentKey({ params, file }: AttentionCall): string {
  const { timedRuns: _, ...rest } = params;
  const content =
    rest.inputs.source === 'file' && file !== undefined ? identityOf(file) : 'no file';
  return JSON.stringify([rest, content]);
}

function bytesOf({ inputs, lse, output, device }: ResidentCall): number {
  const { query, key, value } = inputs;
  const host = query.byteLength + key.byteLength + value.byteLength + lse.byteLength;
  return host + (output?.byteLength ?? 0) + (device?.bytes ?? 0);
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
