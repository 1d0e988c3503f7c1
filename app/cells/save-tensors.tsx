'use client';

import { useState } from 'react';
import type { Session } from '../../lib/run/session-types';
import type { Progress } from '../../lib/run/types';
import { saveBlob } from '../state/save';
import styles from './results.module.css';

interface Props {
  readonly cellId: string;
  readonly session: Session;
}

/** Saves the tensors of the result on show, so that others can check them. */
export function SaveTensors({ cellId, session }: Props) {
  const [progress, setProgress] = useState<Progress>();
  const [problem, setProblem] = useState<string>();
  const save = async () => {
    setProblem(undefined);
    setProgress({ fraction: undefined, phase: 'collecting tensors' });
    try {
      saveBlob(await session.tensors(cellId, setProgress), `${cellId}.safetensors`);
    } catch (error) {
      if ((error as Error).name !== 'AbortError') setProblem((error as Error).message);
    } finally {
      setProgress(undefined);
    }
  };
  return (
    <p className={styles.note}>
      <button type="button" disabled={progress !== undefined} onClick={() => void save()}>
        Save Q, K, V, output and LSE as safetensors
      </button>{' '}
      <span role="status">{progress?.phase}</span>
      {problem !== undefined && <span role="alert">{problem}</span>}
    </p>
  );
}
