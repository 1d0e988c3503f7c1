import { BYTES_PER_GIB } from '../units/units';

export const DEFAULT_CACHE_BYTES = BYTES_PER_GIB / 4;

/** Values by content key, least recently used first out, bounded by bytes. */
export interface ResultCache<V> {
  get(key: string): V | undefined;
  /** A value above the whole bound is not kept. */
  set(key: string, value: V): void;
  bytes(): number;
  clear(): void;
}

/**
 * Bytes that a plain value holds: buffers of typed arrays (each once) in full, 8 per number or
 * boolean, 2 per character, 16 per object or array. An estimate: engines differ in the small parts.
 */
export function estimateBytes(value: unknown): number {
  const seen = new Set<object>();
  const visit = (part: unknown): number => {
    if (typeof part === 'string') return 2 * part.length;
    if (typeof part !== 'object' || part === null) return 8;
    const owner = ArrayBuffer.isView(part) ? part.buffer : part;
    if (seen.has(owner)) return 0;
    seen.add(owner);
    if (ArrayBuffer.isView(part)) return part.buffer.byteLength;
    if (part instanceof ArrayBuffer) return part.byteLength;
    let bytes = 16;
    for (const inner of Object.values(part)) bytes += visit(inner);
    return bytes;
  };
  return visit(value);
}

/**
 * @param maxBytes bound on the sum of `estimateBytes` over the values kept
 */
export function createResultCache<V>(maxBytes: number = DEFAULT_CACHE_BYTES): ResultCache<V> {
  const entries = new Map<string, { readonly value: V; readonly bytes: number }>();
  let total = 0;

  function remove(key: string): void {
    total -= entries.get(key)?.bytes ?? 0;
    entries.delete(key);
  }

  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      // A Map iterates in insertion order, so the last used goes to the end.
      entries.delete(key);
      entries.set(key, entry);
      return entry.value;
    },
    set(key, value) {
      remove(key);
      const bytes = estimateBytes(value);
      if (bytes > maxBytes) return;
      entries.set(key, { value, bytes });
      total += bytes;
      for (const oldest of entries.keys()) {
        if (total <= maxBytes) break;
        remove(oldest);
      }
    },
    bytes: () => total,
    clear() {
      entries.clear();
      total = 0;
    },
  };
}
