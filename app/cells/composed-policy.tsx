'use client';

import { useId, useState } from 'react';
import { checkPolicy } from '../../lib/cache/policy/checks';
import {
  ACTION_NAMES,
  type ActionName,
  isDefined,
  withAction,
} from '../../lib/cache/policy/with-action';
import type { CachePolicy } from '../../lib/spec/cache-policy';
import type { CacheParams } from '../../lib/spec/kinds/cache';
import { cachePolicySchema } from '../../lib/spec/ranges';
import { RECALL_SHAPE } from '../../lib/transformer/recall';
import { TextField } from '../parts/fields';
import { SchemaForm } from '../parts/schema-form';
import { setAt } from '../state/edits';
import styles from './cache.module.css';
import { type ComposedEntry, SCORERS, scorerName } from './policy-parts';
import { ShareField } from './share-field';

interface Props {
  readonly entry: ComposedEntry;
  readonly at: number;
  readonly params: Pick<CacheParams, 'contextTokens' | 'protocol'>;
  /** Gives the sentence why not, or undefined. */
  readonly onEntry: (entry: ComposedEntry) => string | undefined;
  /** Adds the same scorer with the other actions; absent where there is no room. */
  readonly onCompare: (() => void) | undefined;
}

/** A policy part by part: who decides, what becomes of the rest, and everything else on request. */
export function ComposedPolicy({ entry, at, params, onEntry, onCompare }: Props) {
  const [isOpen, setOpen] = useState(false);
  const group = useId();
  const { policy } = entry;
  const setPolicy = (next: unknown) => onEntry({ ...entry, policy: next as CachePolicy });
  const scorer = scorerName(policy.scorer);
  const share = policy.budget.type === 'ratio' ? policy.budget.share : undefined;
  const hasAction = ACTION_NAMES.some((name) => name === policy.action.type);
  return (
    <div className={styles.composed}>
      <div className={styles.choice}>
        <strong>{entry.label}</strong>
        <label>
          score{' '}
          <select
            aria-label={`score of policy ${at + 1}`}
            value={scorer ?? ''}
            onChange={({ target }) => setPolicy({ ...policy, scorer: SCORERS[target.value] })}
          >
            {scorer === undefined && <option value="">own, see all parts</option>}
            {Object.keys(SCORERS).map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        {share !== undefined && (
          <ShareField
            name={`share of policy ${at + 1}`}
            share={share}
            onShare={(next) => setPolicy({ ...policy, budget: { type: 'ratio', share: next } })}
          />
        )}
      </div>
      <fieldset className={styles.actions}>
        <legend>the rest is</legend>
        {ACTION_NAMES.map((name: ActionName) => (
          <label key={name}>
            <input
              type="radio"
              name={group}
              checked={policy.action.type === name}
              onChange={() => setPolicy(withAction(policy, name))}
            />
            {name}
          </label>
        ))}
        {!hasAction && <span className={styles.note}>{policy.action.type}, see all parts</span>}
        <button type="button" disabled={onCompare === undefined} onClick={onCompare}>
          compare all
        </button>
      </fieldset>
      <Findings policy={policy} params={params} />
      <details className={styles.parts} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>all parts of {entry.label}</summary>
        {isOpen && (
          <>
            <TextField
              label="label"
              value={entry.label}
              onSet={(label) => onEntry({ ...entry, label })}
            />
            <SchemaForm
              schema={cachePolicySchema()}
              value={policy}
              path={[]}
              onSet={(path, value) => setPolicy(setAt(policy, path, value))}
            />
          </>
        )}
      </details>
    </div>
  );
}

/** The static checks of the algebra, before anything is run. */
function Findings(props: {
  readonly policy: CachePolicy;
  readonly params: Pick<CacheParams, 'contextTokens' | 'protocol'>;
}) {
  const { contextTokens, protocol } = props.params;
  const issues = checkPolicy(props.policy, { config: RECALL_SHAPE, contextTokens, protocol });
  const undone = [props.policy.action.type, props.policy.keptAction.type].filter(
    (type) => !isDefined(type),
  );
  if (issues.length + undone.length === 0) return null;
  return (
    <div role="status">
      <ul className={styles.findings} aria-label="checks">
        {undone.map((type) => (
          <li key={type} data-tone="bad">
            {type} is not an action of slots here: choose a policy of the families retrieve or reuse
          </li>
        ))}
        {issues.map(({ severity, path, message }) => (
          <li key={`${path} ${message}`} data-tone={severity === 'error' ? 'bad' : 'warn'}>
            {message} at <code>{path}</code>
          </li>
        ))}
      </ul>
    </div>
  );
}
