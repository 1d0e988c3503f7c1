'use client';

import { useDeferredValue, useEffect, useMemo, useRef } from 'react';
import { makeProgram } from '../../lib/attention/program';
import type { AttentionParams } from '../../lib/spec/kinds/attention';
import { formatPercent } from '../../lib/views/format';
import { drawMaskPreview, previewMask } from '../../lib/views/mask/preview';
import { usePointedElement } from '../state/pointed-element';
import { useTokens } from '../views/use-canvas';
import styles from './variant-editor.module.css';

const COLORS = { none: '--surface-sunken', all: '--accent' };

/** The mask as it is written, before anything runs. */
export function MaskPreviewView({
  cellId,
  params,
  contentKey,
}: {
  readonly cellId: string;
  readonly params: AttentionParams;
  readonly contentKey: string;
}) {
  const box = useRef<HTMLElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const colors = useTokens(box, COLORS);
  const shown = useDeferredValue(contentKey);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `shown` is the content of the params
  const preview = useMemo(() => previewMask(makeProgram(params), params.shape, 0), [shown]);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (context == null || colors === undefined) return;
    drawMaskPreview(context, preview, colors);
  }, [preview, colors]);
  const pointed = usePointedElement(cellId);
  const { queries, keys } = params.shape;
  const { rows, columns, full, partial, none, shares } = preview;
  const seen = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const cells = rows * columns;
  return (
    <figure ref={box} className={styles.preview}>
      <div className={styles.picture}>
        <canvas
          ref={canvas}
          width={columns}
          height={rows}
          role="img"
          aria-label={`mask of head 0, queries down, keys across: about ${formatPercent(seen)} seen`}
        />
        {pointed !== undefined && pointed.query < queries && pointed.key < keys && (
          <span
            className={styles.pointed}
            data-testid="mask-pointed"
            title={`query ${pointed.query}, key ${pointed.key}`}
            style={{
              left: `${(100 * (pointed.key + 0.5)) / (columns * preview.keysPerCell)}%`,
              top: `${(100 * (pointed.query + 0.5)) / (rows * preview.queriesPerCell)}%`,
            }}
          />
        )}
      </div>
      <figcaption>
        about {formatPercent(seen)} seen; of cells of {preview.queriesPerCell} x{' '}
        {preview.keysPerCell}: {formatPercent(full / cells)} whole, {formatPercent(partial / cells)}{' '}
        in part, {formatPercent(none / cells)} skipped
      </figcaption>
    </figure>
  );
}
