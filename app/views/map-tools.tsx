'use client';

import type { MapParams } from '../../lib/spec/kinds/views';
import type { BlockWords } from '../../lib/views/map/block-words';
import styles from './views.module.css';

/** Parts of the view that can be put on and off. */
export type MapPart = 'profiles' | 'heads' | 'blocks' | 'why' | 'table';

interface Props {
  readonly params: MapParams;
  readonly heads: number;
  readonly batches: number;
  readonly parts: ReadonlySet<MapPart>;
  /** Keys were selected: what the selection keeps can be told from what it leaves out. */
  readonly hasSelection: boolean;
  /** Parts that the map cannot have are not offered. */
  readonly offers: (part: MapPart) => boolean;
  readonly hasPicture: boolean;
  /** Of its blocks; undefined where it has none. */
  readonly words: BlockWords | undefined;
  readonly onParamsChange: (params: MapParams) => void;
  readonly onPart: (part: MapPart) => void;
  readonly onZoom: (factor: number) => void;
  readonly onWhole: () => void;
  readonly onPng: () => void;
  readonly onCsv: () => void;
}

function partsOf(words: BlockWords | undefined): readonly (readonly [MapPart, string])[] {
  return [
    ['profiles', 'Profiles'],
    ['heads', 'Heads'],
    ['blocks', words?.button ?? 'Blocks'],
    ['why', 'Why'],
    ['table', 'Table'],
  ];
}

/** What to show of a map and how, and its exports. */
export function MapTools(props: Props) {
  const { params, parts, hasPicture, onParamsChange } = props;
  const pick = <Name extends 'head' | 'batch' | 'aggregate' | 'scale' | 'mass'>(
    param: Name,
    label: string,
    options: readonly MapParams[Name][],
  ) => (
    <label>
      {label}{' '}
      <select
        value={params[param]}
        onChange={(event) =>
          onParamsChange({ ...params, [param]: options[event.target.selectedIndex] })
        }
      >
        {options.map((option) => (
          <option key={option}>{option}</option>
        ))}
      </select>
    </label>
  );
  return (
    <div className={styles.tools}>
      {props.heads > 1 && pick('head', 'head', [...Array(props.heads).keys()])}
      {props.batches > 1 && pick('batch', 'batch', [...Array(props.batches).keys()])}
      {pick('aggregate', 'cell', ['max', 'mean'])}
      {pick('scale', 'scale', ['log', 'linear'])}
      {props.hasSelection && pick('mass', 'mass', ['kept', 'all'])}
      <button type="button" onClick={() => props.onZoom(0.5)}>
        Zoom in
      </button>
      <button type="button" onClick={() => props.onZoom(2)}>
        Zoom out
      </button>
      <button type="button" onClick={props.onWhole}>
        Whole
      </button>
      {partsOf(props.words)
        .filter(([part]) => props.offers(part))
        .map(([part, label]) => (
          <button
            key={part}
            type="button"
            aria-pressed={parts.has(part)}
            onClick={() => props.onPart(part)}
          >
            {label}
          </button>
        ))}
      <button type="button" disabled={!hasPicture || parts.has('table')} onClick={props.onPng}>
        PNG
      </button>
      <button type="button" disabled={!hasPicture} onClick={props.onCsv}>
        CSV
      </button>
    </div>
  );
}

/** The parts with one put on or off. */
export function toggled(parts: ReadonlySet<MapPart>, part: MapPart): ReadonlySet<MapPart> {
  return new Set(parts.has(part) ? [...parts].filter((on) => on !== part) : [...parts, part]);
}
