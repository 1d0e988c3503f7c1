'use client';

import { useState } from 'react';
import type { CheckApi, RunComparison } from '../../lib/run/check-service';
import type { WorkerClient } from '../../lib/run/worker-client';
import type { PickedFile } from '../parts/picked-files';
import { countOf } from './count-of';
import { FileField } from './file-field';
import styles from './how-right.module.css';
import { RunErrors } from './run-errors';

type Part = 'run' | 'tables' | 'tokens';
const NOTHING: Readonly<Record<Part, readonly PickedFile[]>> = { run: [], tables: [], tokens: [] };

/** Files of a measured run in, errors and charts out. */
export function CheckRun({ client }: { readonly client: WorkerClient<CheckApi> | undefined }) {
  const [files, setFiles] = useState(NOTHING);
  const [tensorParallel, setTensorParallel] = useState('');
  const [kvBlocks, setKvBlocks] = useState('');
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const [comparison, setComparison] = useState<RunComparison>();
  const take = (part: Part) => (chosen: readonly PickedFile[]) => {
    setFiles({ ...files, [part]: chosen });
    setProblem(undefined);
  };

  async function replay(): Promise<void> {
    if (client === undefined) return;
    setProblem(undefined);
    setBusy(true);
    try {
      const choices = {
        tensorParallel: countOf('tensorParallel', tensorParallel),
        kvBlocks: countOf('kvBlocks', kvBlocks),
      };
      const all = [...files.run, ...files.tables, ...files.tokens];
      setComparison(
        await client.call((api, id, onProgress) => api.vllm(id, all, choices, onProgress)),
      );
    } catch (error) {
      setComparison(undefined);
      setProblem((error as Error).message);
    } finally {
      setBusy(false);
    }
  }

  return (
    <>
      <p>
        Files stay on this machine. Without tables the times come from operator fits of other
        accelerators; without tokens the prefix cache shares nothing.
      </p>
      <div className={styles.fields}>
        <FileField
          title="Run"
          help={
            <>
              A folder with <code>meta.json</code> and <code>requests.jsonl</code>; perhaps the
              model's <code>config.json</code>.
            </>
          }
          accept=".json,.jsonl"
          takesFolder
          files={files.run}
          onFiles={take('run')}
          onProblem={setProblem}
        />
        <FileField
          title="Operator tables"
          help={
            <>
              The profile's <code>dense.csv</code>, <code>per_sequence.csv</code>,{' '}
              <code>attention.csv</code> and what is beside them.
            </>
          }
          accept=".csv,.yaml"
          takesFolder
          files={files.tables}
          onFiles={take('tables')}
          onProblem={setProblem}
        />
        <FileField
          title="Tokens"
          help={
            <>
              JSON lines with <code>input_tok_ids</code>, one for each request.
            </>
          }
          accept=".jsonl"
          takesFolder={false}
          files={files.tokens}
          onFiles={take('tokens')}
          onProblem={setProblem}
        />
      </div>
      <form
        className={styles.choices}
        onSubmit={(event) => {
          event.preventDefault();
          void replay();
        }}
      >
        <label>
          tensor parallel{' '}
          <input
            inputMode="numeric"
            size={4}
            placeholder="auto"
            value={tensorParallel}
            onChange={(event) => setTensorParallel(event.target.value)}
          />
        </label>
        <label>
          KV blocks{' '}
          <input
            inputMode="numeric"
            size={8}
            placeholder="auto"
            value={kvBlocks}
            onChange={(event) => setKvBlocks(event.target.value)}
          />
        </label>
        <button
          type="submit"
          data-primary=""
          disabled={isBusy || client === undefined || files.run.length === 0}
        >
          Replay the run
        </button>
        <span role="status">
          {isBusy ? 'replaying' : comparison === undefined ? '' : 'replayed'}
        </span>
      </form>
      {problem !== undefined && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
      {comparison !== undefined && <RunErrors comparison={comparison} />}
    </>
  );
}
