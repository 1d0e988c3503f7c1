'use client';

import { useEffect, useState } from 'react';
import { POLICIES } from '../../lib/evaluate/policies';
import { POLICY_FAMILIES, policyNotice } from '../../lib/evaluate/policy-families';
import {
  type CacheEntry,
  type CacheParams,
  MAX_ENTRIES,
  PROTOCOLS,
} from '../../lib/spec/kinds/cache';
import { TASKS, taskOf } from '../../lib/tasks/registry';
import { RECALL_TASKS } from '../../lib/transformer/recall';
import { ENGINE_HELP } from '../parts/engine-help';
import { Region, Within } from '../parts/region';
import styles from './cache.module.css';
import { ComposedPolicy } from './composed-policy';
import { EditTrace } from './edit-trace';
import { GatesField, withId } from './gates-field';
import { PolicyCheck } from './policy-check';
import { newComposed, otherActions } from './policy-parts';
import { ShareField } from './share-field';

interface Props {
  readonly params: CacheParams;
  /** Gives the sentence why not, or undefined. */
  readonly onParams: (params: unknown) => string | undefined;
  /** Adds a check cell by the check's id. */
  readonly onCheckCell: (check: string) => void;
}

const PROTOCOL_NAMES: Readonly<Record<(typeof PROTOCOLS)[number], string>> = {
  known: 'known when compressing',
  hidden: 'hidden until compressed',
  turns: '2nd to 5th on one cache',
};

/** Tasks that the shipped model answers with nothing dropped; the others are not offered. */
const LEARNT = TASKS.filter(({ id }) => RECALL_TASKS.includes(id));

/** Tasks that are not offered, by name. */
const NOT_LEARNT = TASKS.filter((task) => !LEARNT.includes(task)).map(({ name }) => name);

/** Task, protocol, and the policies side by side. */
export function CacheEditor({ params, onParams, onCheckCell }: Props) {
  const [problem, setProblem] = useState<string>();
  const key = JSON.stringify(params);
  // biome-ignore lint/correctness/useExhaustiveDependencies: params that were taken leave no problem behind
  useEffect(() => setProblem(undefined), [key]);
  const { entries } = params;
  const set = (change: Partial<CacheParams>) => {
    const refused = onParams({ ...params, ...change });
    setProblem(refused);
    return refused;
  };
  const room = MAX_ENTRIES - entries.length;
  const insertAt = (at: number, more: readonly CacheEntry[]) =>
    set({ entries: entries.toSpliced(at, 0, ...more.slice(0, room)) });
  const task = TASKS.find(({ id }) => id === params.task);
  return (
    <Region className={styles.editor} label="task and policies">
      <div className={styles.choice}>
        <label>
          task{' '}
          <select value={params.task} onChange={({ target }) => set({ task: target.value })}>
            {!LEARNT.some(({ id }) => id === params.task) && (
              <option value={params.task}>
                {task === undefined ? `${params.task} (not known)` : `${task.name} (not learnt)`}
              </option>
            )}
            {LEARNT.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          question{' '}
          <select
            value={params.protocol}
            onChange={({ target }) => set({ protocol: target.value as CacheParams['protocol'] })}
          >
            {PROTOCOLS.map((each) => (
              <option key={each} value={each}>
                {PROTOCOL_NAMES[each]}
              </option>
            ))}
          </select>
        </label>
      </div>
      {task !== undefined && !LEARNT.includes(task) && (
        <p className={styles.warning}>
          The shipped model does not answer this even with the full cache: it says nothing of a
          policy.
        </p>
      )}
      {task !== undefined && (
        <p className={styles.note}>
          {task.tests} ({task.source})
        </p>
      )}
      <p className={styles.note}>
        Not offered, because the shipped model does not answer them with the full cache:{' '}
        {NOT_LEARNT.join('; ')}.
      </p>
      <EditTrace params={params} onEntries={(next) => set({ entries: [...next] })} />
      <ol className={styles.entries} aria-label="policies">
        {entries.map((entry, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: entries have no name of their own
          <li key={at}>
            <Within part={`policy ${at + 1}`}>
              <EntryFields
                entry={entry}
                at={at}
                params={params}
                onCheckCell={onCheckCell}
                onEntry={(next) => set({ entries: entries.with(at, next) })}
                onCompare={
                  room > 0 && entry.type === 'composed'
                    ? () => insertAt(at + 1, otherActions(entry))
                    : undefined
                }
              />
            </Within>
            <button
              type="button"
              className={styles.remove}
              disabled={entries.length === 1}
              aria-label={`remove policy ${at + 1}`}
              onClick={() => set({ entries: entries.toSpliced(at, 1) })}
            >
              remove
            </button>
          </li>
        ))}
      </ol>
      <div className={styles.choice}>
        <button
          type="button"
          disabled={room === 0}
          onClick={() => insertAt(entries.length, [{ type: 'preset', id: 'snapkv', share: 0.125 }])}
        >
          add a policy
        </button>
        <button
          type="button"
          disabled={room === 0}
          onClick={() => insertAt(entries.length, [newComposed(entries)])}
        >
          compose a policy
        </button>
        <span className={styles.note}>
          {entries.length} of at most {MAX_ENTRIES}
        </span>
      </div>
      {problem !== undefined && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
      <TaskNote params={params} />
      <p className={styles.note}>{ENGINE_HELP}</p>
    </Region>
  );
}

/** Why the task cannot run at this length, before it is run. */
function TaskNote({ params }: { readonly params: CacheParams }) {
  let least: number;
  try {
    least = taskOf(params.task).leastContextTokens();
  } catch (error) {
    return <p className={styles.problem}>{(error as Error).message}</p>;
  }
  if (params.contextTokens >= least) return null;
  return (
    <p className={styles.problem}>
      {params.task} needs a context of at least {least} tokens (now {params.contextTokens})
    </p>
  );
}

interface EntryProps {
  readonly entry: CacheEntry;
  readonly at: number;
  readonly params: CacheParams;
  readonly onCheckCell: (check: string) => void;
  readonly onEntry: (entry: CacheEntry) => string | undefined;
  readonly onCompare: (() => void) | undefined;
}

function EntryFields({ entry, at, params, onCheckCell, onEntry, onCompare }: EntryProps) {
  if (entry.type === 'composed') {
    return (
      <ComposedPolicy
        entry={entry}
        at={at}
        params={params}
        onEntry={onEntry}
        onCompare={onCompare}
      />
    );
  }
  return (
    <PresetPolicy
      entry={entry}
      at={at}
      protocol={params.protocol}
      onCheckCell={onCheckCell}
      onEntry={onEntry}
    />
  );
}

interface PresetProps extends Pick<EntryProps, 'at' | 'onCheckCell' | 'onEntry'> {
  readonly entry: Extract<CacheEntry, { type: 'preset' }>;
  readonly protocol: string;
}

/** A published policy, where it is from, and what of it is the paper's. */
function PresetPolicy({ entry, at, protocol, onCheckCell, onEntry }: PresetProps) {
  const known = POLICIES.get(entry.id);
  const notice = known && policyNotice(known, protocol);
  const parts = known?.parts?.({ type: 'ratio', share: entry.share });
  return (
    <div className={styles.preset}>
      <div className={styles.choice}>
        <select
          aria-label={`policy ${at + 1}`}
          value={entry.id}
          onChange={({ target }) => onEntry(withId(entry, target.value))}
        >
          {known === undefined && <option value={entry.id}>{entry.id} (not known)</option>}
          {POLICY_FAMILIES.map(({ name, entries }) => (
            <optgroup key={name} label={name}>
              {entries.map(({ id, label }) => (
                <option key={id} value={id}>
                  {label}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
        {entry.id !== 'full' && known?.budgetOf !== 'none' && (
          <ShareField
            name={`share of policy ${at + 1}`}
            share={entry.share}
            onShare={(share) => onEntry({ ...entry, share })}
          />
        )}
        <GatesField entry={entry} at={at} onEntry={onEntry} />
        {known !== undefined && parts !== undefined && entry.id !== 'full' && (
          <button
            type="button"
            aria-label={`open policy ${at + 1} part by part`}
            onClick={() => onEntry({ type: 'composed', label: known.label, policy: parts })}
          >
            part by part
          </button>
        )}
      </div>
      {known === undefined ? (
        <p className={styles.problem}>
          no policy is called {entry.id}: choose one of the list; the others run
        </p>
      ) : (
        <details className={styles.about}>
          <summary>
            {notice === undefined ? '' : <mark data-tone="warn">{notice}</mark>} source and defaults
          </summary>
          <p>
            {known.source}. {known.defaults}
          </p>
          <PolicyCheck policyId={entry.id} onCheckCell={onCheckCell} />
        </details>
      )}
    </div>
  );
}
