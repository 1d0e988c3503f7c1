'use client';

import { useRef, useState } from 'react';
import type { CheckApi } from '../../lib/run/check-service';
import { isAbortError, type WorkerClient } from '../../lib/run/worker-client';
import type { CalibrationResult } from '../../lib/serving/calibrate/fit-profile';
import { MODELS } from '../../lib/serving/presets/models';
import { MODEL_IDS, type ModelId } from '../../lib/spec/presets';
import type { PickedFile } from '../parts/picked-files';
import { countOf } from './count-of';
import { FileField } from './file-field';
import styles from './how-right.module.css';
import { ProfileReport } from './profile-report';

const COUNTS = [
  ['tensorParallel', 'tensor parallel', 4],
  ['maxBatchedTokens', 'tokens of a step', 7],
  ['maxSequences', 'sequences', 5],
  ['kvBlocks', 'KV blocks', 8],
] as const;
type Count = (typeof COUNTS)[number][0];
const NO_COUNTS: Readonly<Record<Count, string>> = {
  tensorParallel: '',
  maxBatchedTokens: '',
  maxSequences: '',
  kvBlocks: '',
};

/** Files in, a fitted profile out. */
export function Calibrate({ client }: { readonly client: WorkerClient<CheckApi> | undefined }) {
  const [files, setFiles] = useState<readonly PickedFile[]>([]);
  const [model, setModel] = useState<ModelId | ''>('');
  const [counts, setCounts] = useState(NO_COUNTS);
  const [problem, setProblem] = useState<string>();
  const [status, setStatus] = useState('');
  const [result, setResult] = useState<CalibrationResult>();
  const stop = useRef<AbortController>(undefined);
  const [isBusy, setBusy] = useState(false);

  async function fitFiles(): Promise<void> {
    if (client === undefined) return;
    const controller = new AbortController();
    stop.current = controller;
    setProblem(undefined);
    setBusy(true);
    setStatus('reading');
    try {
      const choices = {
        model: model === '' ? undefined : model,
        ...Object.fromEntries(COUNTS.map(([key, name]) => [key, countOf(name, counts[key])])),
      };
      const found = await client.call(
        (api, id, onProgress) => api.calibrate(id, files, choices, onProgress),
        {
          signal: controller.signal,
          onProgress: ({ fraction, phase }) =>
            setStatus(
              fraction === undefined ? (phase ?? '') : `${phase}, ${Math.round(fraction * 100)} %`,
            ),
        },
      );
      setResult(found);
      setStatus('fitted');
    } catch (error) {
      setResult(undefined);
      setStatus(isAbortError(error) ? 'stopped' : '');
      if (!isAbortError(error)) setProblem((error as Error).message);
    } finally {
      setBusy(false);
    }
  }

  return (
    <>
      <p>
        A profile of your accelerator: a few dozen costs, fitted in this page to operator tables or
        to a log of vLLM, small enough for a link. A fifth of the rows is held out, and the errors
        are of those. Files stay on this machine.
      </p>
      <FileField
        title="Measurements"
        help={
          <>
            The folder of a profile (<code>dense.csv</code>, <code>per_sequence.csv</code>,{' '}
            <code>attention.csv</code>), AIConfigurator's <code>gemm_perf.csv</code> and its
            neighbours, a log of requests (<code>.jsonl</code>, perhaps with <code>meta.json</code>
            ), or a saved profile.
          </>
        }
        accept=".csv,.gz,.yaml,.json,.jsonl"
        takesFolder
        files={files}
        onFiles={(chosen) => {
          setFiles(chosen);
          setProblem(undefined);
        }}
        onProblem={setProblem}
      />
      <form
        className={styles.choices}
        onSubmit={(event) => {
          event.preventDefault();
          void fitFiles();
        }}
      >
        <label>
          model{' '}
          <select value={model} onChange={(event) => setModel(event.target.value as ModelId | '')}>
            <option value="">as the files say</option>
            {MODEL_IDS.filter((id) => MODELS[id].experts === undefined).map((id) => (
              <option key={id} value={id}>
                {MODELS[id].label}
              </option>
            ))}
          </select>
        </label>
        {COUNTS.map(([key, name, size]) => (
          <label key={key}>
            {name}{' '}
            <input
              inputMode="numeric"
              size={size}
              placeholder="auto"
              value={counts[key]}
              onChange={(event) => setCounts({ ...counts, [key]: event.target.value })}
            />
          </label>
        ))}
        <button
          type="submit"
          data-primary=""
          disabled={isBusy || client === undefined || files.length === 0}
        >
          Fit a profile
        </button>
        {isBusy && (
          <button type="button" onClick={() => stop.current?.abort()}>
            Stop
          </button>
        )}
        <span role="status">{status}</span>
      </form>
      {problem !== undefined && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
      {result !== undefined && <ProfileReport result={result} />}
    </>
  );
}
