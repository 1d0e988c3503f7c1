'use client';

import { ROW_CHECKS } from '../../lib/serving/checks/registry';
import type { CheckParams } from '../../lib/spec/kinds/check';
import styles from './recall-gap.module.css';
import { useParamsProblem } from './use-params-problem';

interface Props {
  readonly params: CheckParams;
  /** Gives the sentence why not, or undefined. */
  readonly onParams: (params: unknown) => string | undefined;
}

/** Which method is checked, and what the check asks. */
export function CheckEditor({ params, onParams }: Props) {
  const [problem, tell] = useParamsProblem(params);
  const chosen = ROW_CHECKS.find(({ id }) => id === params.check);
  return (
    <section className={styles.editor} aria-label="method to check">
      <label>
        method{' '}
        <select
          value={params.check}
          onChange={({ target }) => tell(onParams({ ...params, check: target.value }))}
        >
          {chosen === undefined && <option value={params.check}>{params.check} (unknown)</option>}
          {ROW_CHECKS.map(({ id, title }) => (
            <option key={id} value={id}>
              {title}
            </option>
          ))}
        </select>
      </label>
      {chosen !== undefined && <p className={styles.note}>{chosen.asks}</p>}
      {problem !== undefined && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
    </section>
  );
}
