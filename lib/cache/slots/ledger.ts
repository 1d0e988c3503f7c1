import type { BufferRole, LayerBytes, SlotView, Tier } from '../types';
import { blockSlots, type HeadState } from './head-state';

function noBytes(): Record<BufferRole, number> {
  return { payload: 0, scales: 0, indices: 0, factors: 0, summaries: 0, positions: 0 };
}

/**
 * Bytes of every layer: the sum of the lengths of the buffers that the slots are in, room for later
 * slots included. A buffer that several heads or layers share is counted where it is first met.
 *
 * @param heads [layers][kvHeads]
 */
export function layerBytes(heads: readonly (readonly HeadState[])[]): LayerBytes[] {
  const met = new Set<ArrayBufferView>();
  return heads.flatMap((layerHeads, layer) => {
    const tiers: Record<Tier, Record<BufferRole, number>> = { device: noBytes(), host: noBytes() };
    let hasHost = false;
    const add = (tier: Tier, role: BufferRole, data: ArrayBufferView | undefined) => {
      if (!data || met.has(data)) return;
      met.add(data);
      tiers[tier][role] += data.byteLength;
    };
    for (const head of layerHeads) {
      add('device', 'positions', head.positions);
      add('device', 'positions', head.multiplicity);
      add('device', 'summaries', head.meta.get('saliency'));
      add('device', 'summaries', head.meta.get('lastUsed'));
      for (const block of head.blocks) {
        if (block.form === 'plain') {
          add('device', 'payload', block.keys.data);
          add('device', 'payload', block.values.data);
          continue;
        }
        hasHost ||= block.tier === 'host';
        for (const { role, data, tier } of block.encoded.buffers)
          add(tier ?? block.tier, role, data);
      }
    }
    const device: LayerBytes = { layer, tier: 'device', bytes: tiers.device };
    return hasHost ? [device, { layer, tier: 'host', bytes: tiers.host } as const] : [device];
  });
}

/** Slots of a head as a view shows them; bytes of a compressed slot are its share of its buffers. */
export function slotViews(head: HeadState, headSize: number): SlotView[] {
  const score = head.meta.get('score');
  let at = 0;
  return head.blocks.flatMap((block) => {
    const start = at;
    at += blockSlots(block);
    const bytes =
      block.form === 'plain'
        ? 2 * headSize * block.keys.data.BYTES_PER_ELEMENT
        : block.encoded.buffers.reduce((sum, { data }) => sum + data.byteLength, 0) /
          block.encoded.slots;
    return Array.from({ length: at - start }, (_, i): SlotView => {
      const slot = start + i;
      const multiplicity = head.multiplicity?.[slot] ?? 1;
      return {
        position: head.positions[slot]!,
        multiplicity,
        state: block.state === 'kept' && multiplicity > 1 ? 'merged' : block.state,
        bytes,
        ...(score && slot < score.length ? { score: score[slot]! } : {}),
      };
    });
  });
}
