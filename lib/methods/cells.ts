import { COMPOSE_PRESETS, presetParams as compositionParams } from '../attention/compose/presets';
import { FORMULA_PRESETS, type FormulaPreset, presetVariant } from '../attention/presets';
import { applyPreset, STORAGE_PRESETS } from '../attention/quantise/presets';
import {
  RECURRENT_PRESETS,
  presetParams as recurrentPresetParams,
} from '../attention/recurrent/presets';
import { whyNoWeights } from '../attention/weights/recurrent-weights';
import type { CacheParams } from '../spec/kinds/cache';
import { composeParams } from '../spec/kinds/compose';
import { decodeParams } from '../spec/kinds/decode';
import { recurrentParams } from '../spec/kinds/recurrent';
import type { AttentionSelection } from '../spec/kinds/selection';
import type { MethodCell } from './types';

/** Needles and stripes beside the band and the sinks, so that there is something to lose. */
const STRUCTURE = { sinkStrength: 7, needleStrength: 9, inductionStrength: 4 };

type FormulaText = Pick<FormulaPreset, 'mask' | 'score'> &
  Partial<Pick<FormulaPreset, 'numbers' | 'tables'>>;

/** An attention cell over a formula of its own, and its map. */
export function formulaCells(text: FormulaText, shape: object = {}): readonly MethodCell[] {
  const variant = presetVariant({
    id: 'own',
    title: '',
    group: 'masks',
    note: '',
    numbers: [],
    tables: [],
    ...text,
  });
  return [
    { id: 'attention', kind: 'attention', params: { shape, structure: STRUCTURE, variant } },
    { id: 'map', kind: 'map', inputs: ['attention'], params: {} },
  ];
}

/** A preset's formula, as a part of a composition. */
export function presetFormula(id: string) {
  return presetVariant(named(FORMULA_PRESETS, id));
}

/** A compose cell over the first and the latest tokens, whose positions close up over what was evicted. */
export function streamedCells(sinkTokens: number, recentTokens: number): readonly MethodCell[] {
  return mappedCellOf('compose', {
    encoding: { type: 'rope' },
    positions: { type: 'slot-index', sinkTokens, recentTokens },
    parts: [{ name: 'cached', variant: { type: 'causal' } }],
  });
}

/**
 * An attention cell over a preset, and its map.
 *
 * @param values of its named numbers, where they differ from the preset's
 */
export function presetCells(
  id: string,
  values: Readonly<Record<string, number>> = {},
): readonly MethodCell[] {
  const preset = named(FORMULA_PRESETS, id);
  const unknown = Object.keys(values).find((name) => !preset.numbers.some((n) => n.name === name));
  if (unknown !== undefined) throw new Error(`preset ${id} has no number ${unknown}`);
  const numbers = preset.numbers.map((number) => ({
    ...number,
    value: values[number.name] ?? number.value,
  }));
  return formulaCells({ ...preset, numbers });
}

type SelectionInput = { readonly type: AttentionSelection['type'] } & Readonly<
  Record<string, string | number>
>;

/** Dense attention, the same with a selection, and the map of what the selection loses. */
export function selectionCells(select: SelectionInput): readonly MethodCell[] {
  return [
    { id: 'dense', kind: 'attention', params: { structure: STRUCTURE } },
    { id: 'selected', kind: 'attention', params: { structure: STRUCTURE, select } },
    {
      id: 'lost',
      kind: 'map',
      inputs: ['dense', 'selected'],
      params: { show: 'difference' },
    },
  ];
}

export function cellOf(kind: MethodCell['kind'], params: unknown): readonly MethodCell[] {
  return [{ id: kind, kind, params }];
}

/** A cell that has a map, and its map. */
export function mappedCellOf(
  kind: 'compose' | 'recurrent',
  params: unknown,
): readonly MethodCell[] {
  return [
    { id: kind, kind, params },
    { id: `${kind}-map`, kind: 'map', inputs: [kind], params: {} },
  ];
}

/** A compose cell over one of its presets, and its map. */
export function compositionCells(id: string): readonly MethodCell[] {
  const preset = named(COMPOSE_PRESETS, id);
  return mappedCellOf('compose', compositionParams(preset, composeParams.parse({})));
}

/** A decode cell over one of its presets, with some other params. */
export function storageCells(
  id: string,
  params: { readonly keyOutliers?: number; readonly keyCarry?: number } = {},
): readonly MethodCell[] {
  return cellOf('decode', applyPreset(decodeParams.parse(params), named(STORAGE_PRESETS, id)));
}

/** A recurrent cell over one of its presets, and the map that it amounts to where its rule has one. */
export function recurrentCells(id: string): readonly MethodCell[] {
  const preset = named(RECURRENT_PRESETS, id);
  const params = recurrentPresetParams(preset, recurrentParams.parse({}));
  return whyNoWeights(params.rule) === undefined
    ? mappedCellOf('recurrent', params)
    : cellOf('recurrent', params);
}

function named<T extends { readonly id: string }>(presets: readonly T[], id: string): T {
  const preset = presets.find((each) => each.id === id);
  if (preset === undefined) throw new Error(`unknown preset: ${id}`);
  return preset;
}

interface CacheChoice {
  readonly task?: string;
  readonly protocol?: CacheParams['protocol'];
  readonly contextTokens?: number;
  /** What it is compared with, at the same share. */
  readonly beside?: string;
}

/** A cache cell: the full cache, something simpler, and the policy at a quarter. */
export function cacheCells(
  id: string,
  { beside = 'random', ...choice }: CacheChoice = {},
): readonly MethodCell[] {
  const entries = [
    { type: 'preset', id: 'full', share: 1 },
    { type: 'preset', id: beside, share: 0.25 },
    { type: 'preset', id, share: 0.25 },
  ];
  return [{ id: 'cache', kind: 'cache', params: { entries, ...choice } }];
}
