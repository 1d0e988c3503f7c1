'use client';

import { useEffect, useRef, useState } from 'react';
import { CACHE_CHECKS } from '../../lib/evaluate/checks/registry';
import { cacheCheckId } from '../../lib/run/check-list';
import type { CheckCellResult } from '../../lib/serving/checks/run-check';
import { checkParams } from '../../lib/spec/kinds/check';
import { Region } from '../parts/region';
import { policyCheckClient } from '../workers';
import styles from './cache.module.css';
import { CheckResultView } from './check-result';

interface Props {
  readonly policyId: string;
  /** Adds a check cell by the check's id. */
  readonly onCheckCell: (check: string) => void;
}

/** What a policy is known by, held against the shipped model when asked: here, or as a cell. */
export function PolicyCheck({ policyId, onCheckCell }: Props) {
  const [result, setResult] = useState<CheckCellResult>();
  const [phase, setPhase] = useState<string>();
  const [problem, setProblem] = useState<string>();
  const running = useRef<AbortController>(undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another policy ends the run of the one before
  useEffect(() => {
    setResult(undefined);
    setPhase(undefined);
    setProblem(undefined);
    return () => running.current?.abort();
  }, [policyId]);
  const check = CACHE_CHECKS.get(policyId);
  if (check === undefined) return null;
  const params = checkParams.parse({ check: cacheCheckId(policyId) });

  async function run(): Promise<void> {
    const controller = new AbortController();
    running.current = controller;
    setProblem(undefined);
    setPhase('reading the model');
    try {
      const found = await policyCheckClient().call(
        (api, id, report) => api.check(id, params, report),
        {
          signal: controller.signal,
          onProgress: ({ fraction, phase: now }) =>
            setPhase(`${now}, ${Math.round((fraction ?? 0) * 100)} %`),
        },
      );
      if (!controller.signal.aborted) setResult(found);
    } catch (error) {
      if (!controller.signal.aborted) setProblem((error as Error).message);
    } finally {
      if (running.current === controller) setPhase(undefined);
    }
  }

  const isBusy = phase !== undefined;
  return (
    <Region label={`check of ${policyId}`}>
      <p>
        <strong>Check.</strong> {check.asks} {check.rule}
      </p>
      <div className={styles.choice}>
        <button type="button" onClick={() => (isBusy ? running.current?.abort() : void run())}>
          {isBusy ? 'cancel the check' : 'run the check'}
        </button>
        <button type="button" onClick={() => onCheckCell(params.check)}>
          add it as a cell
        </button>
        <span role="status" className={styles.note}>
          {phase ?? ''}
        </span>
      </div>
      {problem !== undefined && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
      {result !== undefined && <CheckResultView result={result} />}
    </Region>
  );
}
