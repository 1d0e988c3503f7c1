'use client';

import { useState } from 'react';
import type { CheckApi } from '../../lib/run/check-service';
import type { WorkerClient } from '../../lib/run/worker-client';
import type { VidurCheck } from '../../lib/serving/fidelity/vidur-parity';
import { formatCount, formatError } from '../../lib/views/format';
import { MetricList } from '../cells/metric-list';
import type { PickedFile } from '../parts/picked-files';
import { FileField } from './file-field';
import styles from './how-right.module.css';

/** Vidur computes in the same arithmetic, so what differs is a rule. */
const BAR_SECONDS = 1e-9;

/** A reference run and its tables in, the largest difference of any request out. */
export function CheckVidur({ client }: { readonly client: WorkerClient<CheckApi> | undefined }) {
  const [files, setFiles] = useState<readonly PickedFile[]>([]);
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const [check, setCheck] = useState<VidurCheck>();

  async function replay(): Promise<void> {
    if (client === undefined) return;
    setProblem(undefined);
    setBusy(true);
    try {
      setCheck(await client.call((api, id) => api.vidur(id, files)));
    } catch (error) {
      setCheck(undefined);
      setProblem((error as Error).message);
    } finally {
      setBusy(false);
    }
  }

  return (
    <>
      <FileField
        title="Reference run and tables"
        help={
          <>
            Two JSON files, plain or gzip: the run with its <code>result_columns</code>, and the
            lookup tables that it was made with. Schedulers: vllm, sarathi, orca,
            faster_transformer, lightllm.
          </>
        }
        accept=".json,.gz"
        takesFolder={false}
        files={files}
        onFiles={(chosen) => {
          setFiles(chosen);
          setProblem(undefined);
        }}
        onProblem={setProblem}
      />
      <div className={styles.choices}>
        <button
          type="button"
          data-primary=""
          disabled={isBusy || client === undefined || files.length === 0}
          onClick={() => void replay()}
        >
          Replay the reference
        </button>
        <span role="status">{isBusy ? 'replaying' : check === undefined ? '' : 'replayed'}</span>
      </div>
      {problem !== undefined && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
      {check !== undefined && (
        <MetricList
          metrics={[
            ...(['maxAbsTtftSeconds', 'maxAbsE2eSeconds'] as const).map((key) => ({
              name: `largest difference, ${key === 'maxAbsTtftSeconds' ? 'TTFT' : 'E2E'}`,
              value: `${formatError(check[key])} s`,
              note: check[key] <= BAR_SECONDS ? 'equal' : 'differs',
              tone: check[key] <= BAR_SECONDS ? ('good' as const) : ('bad' as const),
            })),
            equality('iterations', check.iterations, check.expectedIterations),
            equality('restarts', check.restarts, check.expectedRestarts),
            { name: 'speed', value: `${formatCount(check.iterationsPerSecond)} iterations/s` },
          ]}
        />
      )}
    </>
  );
}

function equality(name: string, found: number, expected: number) {
  return {
    name,
    value: String(found),
    note: found === expected ? 'equal' : `the reference has ${expected}`,
    tone: found === expected ? ('good' as const) : ('bad' as const),
  };
}
