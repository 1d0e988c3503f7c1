import { ropeOf } from '../transformer/rope';
import { storageBuffer } from './buffers';
import { projectedPlaces } from './transformer-block';
import type { DeviceModel, Places } from './transformer-model';
import { createSlotCopy, type LayerSlots, type SlotCopy } from './transformer-slots';
import { type Collected, type LayerSteps, PART_ROWS, SPLIT_SLOTS } from './transformer-steps';
import { type StepPlan, tablesOf } from './transformer-tables';

/** Rows up to which a row's slots are shared out among lanes; above, a lane has a row. */
const MAX_RAGGED_ROWS = 15;

/** What attention over held slots is told of a step. */
export interface HeldStep {
  readonly cache: Parameters<SlotCopy['sync']>[0];
  readonly plan: StepPlan;
  readonly firstLayer: number;
  /** Weights are taken into `collected`, KV head after KV head. */
  readonly observes: boolean;
  readonly collected: Collected;
}

/** Attention of a step's rows over slots on the device. */
export interface HeldAttention {
  readonly slots: SlotCopy;
  /** @returns what adds the attention of a layer of the plan, from projections to `attended` */
  prepare(step: HeldStep): Promise<(steps: LayerSteps, at: Places, index: number) => void>;
  destroy(): void;
}

/** Floats of the weights of a layer's rows, per KV head. */
export const weightCounts = (
  { plan }: Pick<HeldStep, 'plan'>,
  group: number,
  index: number,
): readonly number[] =>
  plan.layers[index]!.counts.map((count) => plan.positions.length * group * count);

export function createHeldAttention({ gpu, config, weights }: DeviceModel): HeldAttention {
  const { headSize, heads, kvHeads } = config;
  const group = heads / kvHeads;
  const padded = 4 * Math.ceil(headSize / 4);
  const scale = 1 / Math.sqrt(headSize);
  const rope = ropeOf(config);
  const slots = createSlotCopy(gpu, config);
  const kept = new Map<string, GPUBuffer>();
  let knownIndices = 0;

  /** A buffer of at least so many bytes, kept from step to step. */
  async function reserve(name: string, bytes: number): Promise<GPUBuffer> {
    const known = kept.get(name);
    if (known && known.size >= bytes) return known;
    known?.destroy();
    kept.delete(name);
    const made = await storageBuffer(gpu, name, { bytes: Math.ceil(bytes * 1.25) });
    kept.set(name, made);
    return made;
  }

  /** Cosines and sines of all indices up to one, [indices][pairs]. */
  async function rotationsTo(index: number): Promise<GPUBuffer> {
    const known = kept.get('rotations');
    if (known && index < knownIndices) return known;
    const count = Math.max(index + 1, 2 * knownIndices, 256);
    const pairs = headSize / 2;
    const values = new Float32Array(2 * count * pairs);
    for (let at = 0; at < count * pairs; at++) {
      const angle = Math.floor(at / pairs) * rope.frequencies[at % pairs]!;
      values[2 * at] = rope.attentionFactor * Math.cos(angle);
      values[2 * at + 1] = rope.attentionFactor * Math.sin(angle);
    }
    const made = await storageBuffer(gpu, 'rotations', { data: values });
    known?.destroy();
    kept.set('rotations', made);
    knownIndices = count;
    return made;
  }

  return {
    slots,
    async prepare({ cache, plan, firstLayer, observes, collected }) {
      const rows = plan.positions.length;
      const isWide = !observes && rows > MAX_RAGGED_ROWS;
      const held: LayerSlots[] = [];
      for (let index = 0; index < plan.layers.length; index++) {
        held.push(await slots.sync(cache, firstLayer + index, rows));
      }
      const tables = tablesOf(
        config,
        plan,
        held.map(({ first }) => first),
        isWide,
      );
      const longest = plan.layers.reduce((most, { counts }) => Math.max(most, ...counts), 1);
      const splits = Math.ceil(longest / SPLIT_SLOTS);
      const scored = plan.layers.map((_, index) =>
        weightCounts({ plan }, group, index).reduce((sum, count) => sum + count, 0),
      );
      const runs = rows * heads;
      const table = await reserve('tables of a step', tables.words.byteLength);
      const rotations = await rotationsTo(plan.highestIndex);
      const turned = await reserve('rotated queries', 4 * runs * padded);
      const partial = await reserve('splits', isWide ? 0 : 4 * runs * splits * padded);
      const statistics = await reserve('statistics', isWide ? 0 : 8 * runs * splits);
      const lse = await reserve('log-sum-exps', 4 * runs);
      const scores = await reserve('scores', observes ? 4 * Math.max(...scored, 0) : 0);
      gpu.device.queue.writeBuffer(table, 0, tables.words);

      return (steps, places, index) => {
        const { counts } = plan.layers[index]!;
        const { keys, values, about } = held[index]!;
        const projected = projectedPlaces(weights.layers[firstLayer + index]!, places);
        const at = tables.tableAt[index]!;
        const halves = cache.copied?.storage === 'f16' ? 1 : 0;
        const place = { rows, heads, kvHeads, headSize, stride: padded, at, halves };
        steps.turn([projected.queries, rotations, table, turned], place);
        steps.place([projected.keys, places.values, rotations, table, keys, values, about], place);
        const meanSlots = counts.reduce((sum, count) => sum + count, 0) / kvHeads;
        if (isWide) {
          const blocks = Math.ceil(rows / PART_ROWS);
          const limitsAt = tables.limitsAt[index]!;
          steps.part(
            [turned, keys, values, about, table, table, places.attended],
            { rows, heads, group, blocks, headSize, scale, limitsAt },
            meanSlots,
          );
          return;
        }
        const keeps = observes ? 1 : 0;
        const ragged = { rows, heads, group, kvHeads, splits, headSize, scale, at, keeps };
        steps.ragged(
          [turned, keys, values, about, table, partial, statistics, scores],
          ragged,
          meanSlots,
        );
        steps.merge([partial, statistics, places.attended, lse], ragged);
        if (!observes) return;
        steps.weights([lse, table, scores], ragged, Math.max(...counts));
        let from = 0;
        for (const count of weightCounts({ plan }, group, index)) {
          collected.take(scores, count, from);
          from += count;
        }
      };
    },
    destroy() {
      slots.destroy();
      for (const buffer of kept.values()) buffer.destroy();
    },
  };
}
