'use client';

import { useEffect, useRef } from 'react';
import type { FetchRange } from '../../lib/transformer/load/fetch-range';
import { formatBytes } from '../../lib/transformer/load/memory';
import styles from './load-model.module.css';
import { ModelAddress } from './model-address';
import { ModelFacts } from './model-facts';
import { ModelFilePicker } from './model-file-picker';
import { useRegionName } from './region';
import { type OnLoad, useModelLoading } from './use-model-loading';

interface Props {
  readonly onLoad: OnLoad;
  /** How an address is read. */
  readonly fetchRange: FetchRange;
}

/**
 * A person's own model, from disk or an address: its files are checked and its memory shown, then
 * it is loaded by `onLoad`, with progress, and can be cancelled at any time.
 */
export function LoadModel({ onLoad, fetchRange }: Props) {
  const { state, check, load, cancel, reset, refuse } = useModelLoading(onLoad, fetchRange);
  const section = useRef<HTMLElement>(null);
  const { phase } = state;
  const shown = useRef(phase);
  useEffect(() => {
    // A step takes its buttons with it: the keyboard goes on from the panel, not from the page's top.
    const isLost = document.activeElement === document.body;
    if (shown.current !== phase && isLost) section.current?.focus({ preventScroll: true });
    shown.current = phase;
  }, [phase]);
  const problem = 'problem' in state ? state.problem : undefined;
  return (
    <section
      ref={section}
      tabIndex={-1}
      className={styles.panel}
      aria-label={useRegionName('Your own model')}
    >
      {(state.phase === 'choosing' || state.phase === 'checking') && (
        <>
          <ModelFilePicker
            isDisabled={state.phase === 'checking'}
            onFiles={(files, label) => void check({ kind: 'files', files }, label)}
            onProblem={refuse}
          />
          <ModelAddress
            isDisabled={state.phase === 'checking'}
            onAddress={(base) => void check({ kind: 'url', base }, base)}
          />
        </>
      )}
      {state.phase === 'checking' && (
        <p className={styles.row}>
          <button type="button" onClick={cancel}>
            Cancel
          </button>
          <span>reading the configuration and the headers of {state.label}</span>
        </p>
      )}
      {'opened' in state && <ModelFacts label={state.label} opened={state.opened} />}
      {state.phase === 'checked' && (
        <p className={styles.row}>
          <button type="button" data-primary="" onClick={() => void load()}>
            Load {formatBytes(state.opened.storedBytes)}
          </button>
          <button type="button" onClick={reset}>
            Choose another
          </button>
        </p>
      )}
      {state.phase === 'loading' && (
        <div className={styles.row}>
          <progress
            aria-label="Loading"
            max={state.progress?.bytesTotal ?? 1}
            value={state.progress?.bytesRead ?? 0}
          />
          <button type="button" onClick={cancel}>
            Cancel
          </button>
          {state.progress !== undefined && (
            <span className={styles.amount}>
              {formatBytes(state.progress.bytesRead)} of {formatBytes(state.progress.bytesTotal)}
              {state.opened.fileNames.length > 1 && `, ${state.progress.fileName}`}
            </span>
          )}
        </div>
      )}
      {state.phase === 'loaded' && (
        <p className={styles.row}>
          <button type="button" onClick={reset}>
            Choose another
          </button>
        </p>
      )}
      {problem !== undefined && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
      <p className="visually-hidden" role="status">
        {statusOf(state)}
      </p>
    </section>
  );
}

/** What is said aloud: steps, and quarters of a load. */
function statusOf(state: ReturnType<typeof useModelLoading>['state']): string {
  switch (state.phase) {
    case 'choosing':
      return '';
    case 'checking':
      return 'reading the headers';
    case 'checked':
      return 'the files fit together';
    case 'loading': {
      const { bytesRead = 0, bytesTotal = 1 } = state.progress ?? {};
      return `loading, ${25 * Math.floor((4 * bytesRead) / bytesTotal)} percent`;
    }
    case 'loaded':
      return 'the model is loaded';
  }
}
