'use client';

import { useEffect, useRef, useState } from 'react';
import { CACHE_CHECKS } from '../../lib/evaluate/checks/registry';
import type { CheckFigure, CheckResult } from '../../lib/evaluate/checks/types';
import { isWithin } from '../../lib/serving/checks/types';
import { policyCheckClient } from '../workers';
import styles from './cache.module.css';

/** Of the contexts: every run of a check is the same. */
const SEED = 7;

/** What a policy is known by, held against the shipped model when asked. */
export function PolicyCheck({ policyId }: { readonly policyId: string }) {
  const [result, setResult] = useState<CheckResult>();
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

  async function run(): Promise<void> {
    const controller = new AbortController();
    running.current = controller;
    setProblem(undefined);
    setPhase('reading the model');
    try {
      const found = await policyCheckClient().call(
        (api, id, report) => api.policyCheck(id, policyId, SEED, report),
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
    <section aria-label={`check of ${policyId}`}>
      <p>
        <strong>Check.</strong> {check.asks} {check.rule}
      </p>
      <div className={styles.choice}>
        <button type="button" onClick={() => (isBusy ? running.current?.abort() : void run())}>
          {isBusy ? 'cancel the check' : 'run the check'}
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
      {result !== undefined && <Figures result={result} />}
    </section>
  );
}

function Figures({ result: { figures, notes } }: { readonly result: CheckResult }) {
  return (
    <div className={styles.scroll}>
      <table>
        <caption>on the shipped model, seed {SEED}</caption>
        <thead>
          <tr>
            <th scope="col">figure</th>
            <th scope="col">measured</th>
            <th scope="col">expected</th>
            <th scope="col">holds</th>
          </tr>
        </thead>
        <tbody>
          {figures.map((figure) => (
            <tr key={figure.label}>
              <th scope="row">{figure.label}</th>
              <td>{valueText(figure)}</td>
              <td>{bandText(figure)}</td>
              <td>{holdsText(figure)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {notes.map((note) => (
        <p key={note} className={styles.note}>
          {note}
        </p>
      ))}
    </div>
  );
}

const numberText = (value: number) => String(Number(value.toPrecision(3)));

function valueText({ value, unit }: CheckFigure): string {
  return `${numberText(value)}${unit === '' ? '' : ` ${unit}`}`;
}

function bandText({ expected, unit }: CheckFigure): string {
  if (expected === undefined) return '';
  const { low, high } = expected;
  const text = (value: number) => `${numberText(value)} ${unit}`;
  if (low !== undefined && high !== undefined) return `${text(low)} to ${text(high)}`;
  return low !== undefined ? `at least ${text(low)}` : `at most ${text(high ?? 0)}`;
}

function holdsText(figure: CheckFigure): string {
  const holds = isWithin(figure);
  return holds === undefined ? '' : holds ? 'yes' : 'no';
}
