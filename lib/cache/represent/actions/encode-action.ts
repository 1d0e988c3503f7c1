import type { CacheAction, CacheCorrector } from '../../../spec/cache-actions';
import type { ActedHead, ActionContext, ActionDefinition } from '../../policy/actions';
import { plainRun } from '../../policy/actions';
import type { SlotRun } from '../../slots/types';
import type { Encoded } from '../../types';
import { encodeLayers } from '../encode-layers';
import type { LayerRows } from '../layer-rows';
import type { Matrix } from '../matrix';
import { needsOf, type Representation } from '../representation';

type EncodeAction = Extract<CacheAction, { type: 'quantise' | 'project' }>;

/** Slots of a head that an action encodes, and those it leaves; both ascending. */
export function splitSlots(
  head: Pick<ActedHead, 'positions' | 'kept' | 'victims'>,
  slots: 'victims' | 'all',
  recentTokens: number,
): { readonly encoded: Int32Array; readonly plain: Int32Array } {
  if (slots === 'victims') return { encoded: head.victims, plain: head.kept };
  const all = head.positions.map((_, slot) => slot);
  const last = head.positions.reduce((most, position) => Math.max(most, position), -1);
  const isOld = (slot: number) => head.positions[slot]! <= last - recentTokens;
  return { encoded: all.filter(isOld), plain: all.filter((slot) => !isOld(slot)) };
}

/** The last queries of a head's group as rows, before RoPE. */
export function queryRows({ queries, headSize }: ActedHead): Matrix | undefined {
  if (!queries) return undefined;
  const { rows, group, data } = queries;
  return { rows: rows * group, columns: headSize, data };
}

/** Encodes the given slots of every head; a head without any has none. */
function encodeSlots(
  heads: readonly ActedHead[],
  slots: readonly Int32Array[],
  form: Representation,
  state: 'quantised' | 'projected',
  context: ActionContext,
): (SlotRun | undefined)[] {
  const encodedOf = new Map<ActedHead, Encoded>();
  const layers = [...new Set(heads.map(({ layer }) => layer))].map((layer) => {
    const own = heads.flatMap((head, index) => (head.layer === layer ? [index] : []));
    const rows = layerRows(
      layer,
      own.map((i) => heads[i]!),
      own.map((i) => slots[i]!),
      context,
    );
    return { own, rows };
  });
  const filled = layers.filter(({ rows }) => rows.heads.some((head) => head.slots > 0));
  const encoded = encodeLayers(
    form,
    filled.map(({ rows }) => rows),
    context.model.config.layers,
    context.corrector,
  );
  filled.forEach(({ own }, index) => {
    own.forEach((at, kvHead) => {
      encodedOf.set(heads[at]!, encoded[index]![kvHead]!);
    });
  });
  return heads.map((head, index) => {
    const own = slots[index]!;
    const held = encodedOf.get(head);
    if (!held || own.length === 0) return undefined;
    return {
      form: 'encoded',
      encoded: held,
      state,
      positions: own.map((slot) => head.positions[slot]!),
      multiplicity: Float32Array.from(own, (slot) => head.multiplicity[slot]!),
    };
  });
}

/**
 * Runs of every head: the encoded slots, then the others. Layers are encoded together, because some
 * forms share factors across heads or layers.
 */
function encodeHeads(
  heads: readonly ActedHead[],
  action: EncodeAction,
  context: ActionContext,
): SlotRun[][] {
  const recent = Math.max(action.recentTokens, recentOf(context.corrector));
  const splits = heads.map((head) => splitSlots(head, action.slots, recent));
  const state = action.type === 'quantise' ? 'quantised' : 'projected';
  const encode = (form: Representation, which: 'encoded' | 'plain') =>
    encodeSlots(
      heads,
      splits.map((split) => split[which]),
      form,
      state,
      context,
    );
  const encoded = encode(action.form, 'encoded');
  const keptForm =
    action.type === 'quantise' && action.slots === 'victims' ? action.keptForm : undefined;
  const others = keptForm
    ? encode(keptForm, 'plain')
    : heads.map((head, index) => plainRun(head, splits[index]!.plain));
  return heads.map((_, index) =>
    [encoded[index], others[index]].flatMap((run) => (run ? [run] : [])),
  );
}

function layerRows(
  layer: number,
  heads: readonly ActedHead[],
  slots: readonly Int32Array[],
  { model }: ActionContext,
): LayerRows {
  const queries = heads.map(queryRows);
  const weights = model.weights.layers[layer];
  const { hiddenSize, kvHeads, headSize } = model.config;
  const asMatrix = (data: Float32Array): Matrix => ({
    rows: kvHeads * headSize,
    columns: hiddenSize,
    data,
  });
  return {
    layer,
    heads: heads.map((head, i) => {
      const { keys, values } = plainRun(head, slots[i]!);
      return { slots: slots[i]!.length, headSize: head.headSize, keys, values };
    }),
    ...(queries.every((each) => each !== undefined) ? { queries } : {}),
    ...(weights ? { weights: { keys: asMatrix(weights.k), values: asMatrix(weights.v) } } : {}),
  };
}

const recentOf = (corrector: CacheCorrector) =>
  corrector.type === 'recent-window' ? corrector.tokens : 0;

/** Queries that a form or a corrector looks at, where it does; 32 as ThinK's window. */
const WINDOW_QUERIES = 32;

/** Slots in fewer bits. */
export const quantiseAction: ActionDefinition<'quantise'> = {
  needs: ({ form, keptForm }) =>
    [form, keptForm].some((each) => each && needsOf(each).queries)
      ? { windowQueries: WINDOW_QUERIES }
      : {},
  apply: encodeHeads,
};

/** Slots in fewer numbers. */
export const projectAction: ActionDefinition<'project'> = { apply: encodeHeads };
