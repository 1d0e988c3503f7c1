'use client';

import type { BlockWords } from '../../lib/views/map/block-words';
import { legendGradient, legendTicks } from '../../lib/views/map/color';
import { divergingGradient, signedHalf } from '../../lib/views/map/diverging';
import { rgbOf } from '../../lib/views/rgb';
import styles from './views.module.css';

interface Props {
  readonly scale: 'log' | 'linear';
  readonly top: number;
  /** How cells are made of elements. */
  readonly cells: string;
  /** Names of what a difference is of. */
  readonly names: readonly [string, string] | undefined;
  /** Weights of either sign that are no difference. */
  readonly isSigned: boolean;
  /** How the profiles on show were made; undefined without them. */
  readonly profiles: 'exact' | 'estimated' | undefined;
  readonly paper: string | undefined;
  /** What the block outlines are of, and how they are called; undefined without them. */
  readonly blocks: { readonly of: string; readonly words: BlockWords } | undefined;
}

/** What the colours, the hatches and the profiles say. */
export function MapLegend(props: Props) {
  const { scale, top, cells, names, isSigned, profiles, paper, blocks } = props;
  const half = tickText(signedHalf(scale, top));
  const isDiverging = (names !== undefined || isSigned) && paper !== undefined;
  return (
    <>
      <ul className={styles.legend} data-testid="map-legend">
        <li>
          {names === undefined ? '' : `${names[0]} − ${names[1]}, `}
          {isDiverging && scale === 'log' ? 'symmetric log' : scale} scale, {cells}:
        </li>
        <li
          className={styles.scale}
          style={{ background: isDiverging ? divergingGradient(rgbOf(paper)) : legendGradient() }}
          aria-hidden="true"
        />
        {names === undefined && isSigned ? (
          <li>
            −{tickText(top)} … −{half} … 0 … {half} … {tickText(top)}
          </li>
        ) : names === undefined ? (
          <li>{legendTicks(scale, top).map(tickText).join(' … ')}</li>
        ) : (
          <li>
            −{tickText(top)} more in {names[1]} … 0 … {tickText(top)} more in {names[0]}
          </li>
        )}
        <li>
          <span className={styles.swatch} data-role="masked" />
          {names === undefined ? 'masked, not zero' : 'masked in both'}
        </li>
        {names !== undefined && (
          <li>
            <span className={styles.swatch} data-role="one-sided" />
            masked in one only, where it counts as 0
          </li>
        )}
        {blocks !== undefined && (
          <>
            <li>
              <span className={styles.swatch} data-role="block-full" />
              {blocks.words.full}
            </li>
            <li>
              <span className={styles.swatch} data-role="block-partial" />
              {blocks.words.partial}
            </li>
            <li>
              {blocks.of}; the rest is {blocks.words.skipped}
            </li>
          </>
        )}
      </ul>
      {profiles !== undefined && (
        <p className={styles.note}>
          Profiles of what is in view, {profiles === 'exact' ? 'exact' : 'from cells'}: below, the
          mean {isSigned ? 'weight' : 'probability'} that each key receives
          {profiles === 'exact' ? '' : ' (estimated where the mask cuts a cell)'}; at the right, the{' '}
          {isSigned ? 'weight of largest magnitude' : 'largest probability'} of each query
          {names === undefined ? '' : `; ${names[0]} − ${names[1]}`}.
        </p>
      )}
    </>
  );
}

const tickText = (tick: number) =>
  tick === 0 || tick >= 0.01 ? Number(tick.toPrecision(2)) : tick.toExponential(0);
