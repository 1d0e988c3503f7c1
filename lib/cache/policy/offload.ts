import { type PageBounds, pageBounds } from '../retrieve/pages';
import { appendRows, noRows, readRows } from '../slots/rows';
import type { SlotStorage } from '../slots/types';
import type { Encoded } from '../types';
import { type ActedHead, type ActionDefinition, headByHead, plainRun } from './actions';

/** Rows in host memory, and what the device holds to choose among them. */
export interface OffloadedRows extends Encoded {
  /** Absent where all rows are fetched whatever the query. */
  readonly bounds?: PageBounds;
  readonly pageTokens: number;
  /** Bytes of one slot's key and value: what moving it moves. */
  readonly rowBytes: number;
}

export function isOffloaded(encoded: Encoded): encoded is OffloadedRows {
  return 'rowBytes' in encoded;
}

/**
 * Victims leave the device for host memory with every bit they had. Where pages of them are fetched
 * by query, the smallest and largest rotated key of each page (Quest; Tang et al., 2024) stay on the
 * device.
 */
export const offload: ActionDefinition<'offload'> = headByHead<'offload'>(
  (head, { pageTokens, fetch }, { storage = 'f16' }) => {
    const { victims } = head;
    const kept = plainRun(head, head.kept);
    if (victims.length === 0) return [kept];
    const { positions, multiplicity } = plainRun(head, victims);
    const bounds =
      fetch.type === 'pages'
        ? pageBounds(rotatedRows(head, victims), victims.length, head.headSize, pageTokens)
        : undefined;
    return [
      {
        form: 'encoded',
        state: 'offloaded',
        tier: 'host',
        encoded: hostRows(head, storage, pageTokens, bounds),
        positions,
        ...(multiplicity ? { multiplicity } : {}),
      },
      kept,
    ];
  },
);

function hostRows(
  head: ActedHead,
  storage: SlotStorage,
  pageTokens: number,
  bounds: PageBounds | undefined,
): OffloadedRows {
  const { headSize, victims } = head;
  const { keys, values } = plainRun(head, victims);
  const store = (rows: Float32Array) => {
    const { count, data } = appendRows(noRows(storage), rows, headSize);
    // A single row comes with room for a page.
    return { count, data: data.slice(0, count * headSize) };
  };
  const heldKeys = store(keys);
  const heldValues = store(values);
  return {
    slots: victims.length,
    headSize,
    pageTokens,
    rowBytes: 2 * headSize * heldKeys.data.BYTES_PER_ELEMENT,
    ...(bounds ? { bounds } : {}),
    buffers: [
      { role: 'payload', data: heldKeys.data },
      { role: 'payload', data: heldValues.data },
      ...(bounds
        ? ([
            { role: 'summaries', data: bounds.least, tier: 'device' },
            { role: 'summaries', data: bounds.most, tier: 'device' },
          ] as const)
        : []),
    ],
    decodeKeys: () => readRows(heldKeys, 0, headSize),
    decodeValues: () => readRows(heldValues, 0, headSize),
  };
}

function rotatedRows(head: ActedHead, slots: Int32Array): Float32Array {
  return plainRun({ ...head, keys: head.rotatedKeys() }, slots).keys;
}
