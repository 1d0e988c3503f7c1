'use client';

import { CHECK_LIST, type CheckLab } from '../../lib/run/check-list';
import type { CheckParams } from '../../lib/spec/kinds/check';
import { EVIDENCE_TEXT } from '../../lib/views/charts/check';
import { Region } from '../parts/region';
import results from './check-result.module.css';
import styles from './recall-gap.module.css';
import { useParamsProblem } from './use-params-problem';

const LAB_NAMES: Readonly<Record<CheckLab, string>> = {
  cache: 'models and caches',
  serving: 'serving, simulated',
};
const LABS = Object.keys(LAB_NAMES) as readonly CheckLab[];

interface Props {
  readonly params: CheckParams;
  /** Gives the sentence why not, or undefined. */
  readonly onParams: (params: unknown) => string | undefined;
}

/** Which method is checked, and what the check asks. */
export function CheckEditor({ params, onParams }: Props) {
  const [problem, tell] = useParamsProblem(params);
  const chosen = CHECK_LIST.find(({ id }) => id === params.check);
  return (
    <Region className={styles.editor} label="method to check">
      <label>
        method{' '}
        <select
          value={params.check}
          onChange={({ target }) => tell(onParams({ ...params, check: target.value }))}
        >
          {chosen === undefined && <option value={params.check}>{params.check} (unknown)</option>}
          {LABS.map((lab) => (
            <optgroup key={lab} label={LAB_NAMES[lab]}>
              {CHECK_LIST.filter((each) => each.lab === lab).map(({ id, title }) => (
                <option key={id} value={id}>
                  {title}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      </label>
      {chosen !== undefined && (
        <>
          <p className={styles.note}>{chosen.asks}</p>
          <p className={results.rule}>
            <strong>{chosen.title}.</strong> {chosen.check.rule}{' '}
            <small>({EVIDENCE_TEXT[chosen.check.evidence]})</small>
          </p>
        </>
      )}
      {problem !== undefined && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
    </Region>
  );
}
