'use client';

import { useEffect, useState } from 'react';
import { POLICIES } from '../../lib/evaluate/policies';
import type { CacheEntry, CacheParams } from '../../lib/spec/kinds/cache';
import { PROTOCOLS } from '../../lib/spec/kinds/cache';
import { TASKS, taskOf } from '../../lib/tasks/registry';
import styles from './cache.module.css';

interface Props {
  readonly params: CacheParams;
  /** Gives the sentence why not, or undefined. */
  readonly onParams: (params: unknown) => string | undefined;
}

const PROTOCOL_NAMES: Readonly<Record<(typeof PROTOCOLS)[number], string>> = {
  known: 'known when compressing',
  hidden: 'hidden until compressed',
  turns: '2nd to 5th on one cache',
};

/** What a policy may become of the slots it does not keep: one drop-down. */
const ACTIONS: Readonly<Record<string, unknown>> = {
  evict: { type: 'evict' },
  quantise: { type: 'quantise', bits: 4 },
  merge: { type: 'merge' },
  compensate: { type: 'compensate' },
  offload: { type: 'offload' },
};

/** Task, protocol, and the policies side by side. */
export function CacheEditor({ params, onParams }: Props) {
  const [problem, setProblem] = useState<string>();
  const key = JSON.stringify(params);
  // biome-ignore lint/correctness/useExhaustiveDependencies: params that were taken leave no problem behind
  useEffect(() => setProblem(undefined), [key]);
  const { entries } = params;
  const set = (change: Partial<CacheParams>) => setProblem(onParams({ ...params, ...change }));
  const setEntry = (at: number, entry: CacheEntry) =>
    set({ entries: entries.map((each, i) => (i === at ? entry : each)) });
  const task = TASKS.find(({ id }) => id === params.task);
  return (
    <section className={styles.editor} aria-label="task and policies">
      <div className={styles.choice}>
        <label>
          task{' '}
          <select value={params.task} onChange={({ target }) => set({ task: target.value })}>
            {task === undefined && <option value={params.task}>{params.task} (not known)</option>}
            {TASKS.map(({ id, name }) => (
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
      {task !== undefined && (
        <p className={styles.note}>
          {task.tests} ({task.source})
        </p>
      )}
      <ul className={styles.entries} aria-label="policies">
        {entries.map((entry, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: entries have no name of their own
          <li key={at}>
            <EntryFields entry={entry} at={at} onEntry={(next) => setEntry(at, next)} />
            <button
              type="button"
              disabled={entries.length === 1}
              aria-label={`remove policy ${at + 1}`}
              onClick={() => set({ entries: entries.filter((_, i) => i !== at) })}
            >
              remove
            </button>
          </li>
        ))}
      </ul>
      <div className={styles.choice}>
        <button
          type="button"
          onClick={() =>
            set({ entries: [...entries, { type: 'preset', id: 'snapkv', share: 0.125 }] })
          }
        >
          add a policy
        </button>
        <button
          type="button"
          onClick={() => set({ entries: [...entries, composedEntry(entries)] })}
        >
          add a composed policy
        </button>
      </div>
      {problem !== undefined && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
      <TaskNote params={params} />
    </section>
  );
}

function composedEntry(entries: CacheParams['entries']): CacheEntry {
  const label = `composed ${entries.filter(({ type }) => type === 'composed').length + 1}`;
  return {
    type: 'composed',
    label,
    policy: {
      budget: { type: 'ratio', share: 0.25 },
      scorer: { type: 'attention', queries: 'window', windowTokens: 16 },
      action: { type: 'evict' },
    },
    // The schema fills in the parts that are not named.
  } as unknown as CacheEntry;
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
  readonly onEntry: (entry: CacheEntry) => void;
}

function EntryFields({ entry, at, onEntry }: EntryProps) {
  if (entry.type === 'composed') return <ComposedFields entry={entry} at={at} onEntry={onEntry} />;
  const known = POLICIES.get(entry.id);
  return (
    <>
      <select
        aria-label={`policy ${at + 1}`}
        value={entry.id}
        onChange={({ target }) => onEntry({ ...entry, id: target.value })}
      >
        {known === undefined && <option value={entry.id}>{entry.id} (not known)</option>}
        {[...POLICIES.values()].map(({ id, label }) => (
          <option key={id} value={id}>
            {label}
          </option>
        ))}
      </select>
      {entry.id !== 'full' && (
        <ShareField
          name={`share of policy ${at + 1}`}
          share={entry.share}
          onShare={(share) => onEntry({ ...entry, share })}
        />
      )}
    </>
  );
}

function ShareField(props: {
  readonly name: string;
  readonly share: number;
  readonly onShare: (share: number) => void;
}) {
  return (
    <label>
      keeps{' '}
      <input
        type="range"
        min={1}
        max={100}
        value={Math.round(props.share * 100)}
        aria-label={props.name}
        onChange={({ target }) => props.onShare(Number(target.value) / 100)}
      />{' '}
      <output>{(props.share * 100).toFixed(props.share < 0.1 ? 1 : 0)} %</output>
    </label>
  );
}

const SCORERS: Readonly<Record<string, unknown>> = {
  'attention of a window': { type: 'attention', queries: 'window', windowTokens: 16 },
  'attention of all queries': { type: 'attention', queries: 'all' },
  'attention of the last query': { type: 'attention', queries: 'last' },
  position: { type: 'position' },
  'key norm': { type: 'key-norm' },
  'distance to the mean key': { type: 'key-mean-cosine', rope: 'before' },
  'expected attention': { type: 'expected-attention' },
  random: { type: 'random' },
};

type Composed = Extract<CacheEntry, { type: 'composed' }>;

/** The parts of a composed policy that teach most: score, what happens to the rest, how much stays. */
function ComposedFields(props: {
  readonly entry: Composed;
  readonly at: number;
  readonly onEntry: (entry: CacheEntry) => void;
}) {
  const { entry, at, onEntry } = props;
  const { policy } = entry;
  const share = policy.budget.type === 'ratio' ? policy.budget.share : undefined;
  const withPart = (part: object) =>
    onEntry({ ...entry, policy: { ...policy, ...part } } as CacheEntry);
  const scorer = Object.entries(SCORERS).find(([, value]) => holds(policy.scorer, value))?.[0];
  return (
    <>
      <strong>{entry.label}</strong>
      <label>
        score{' '}
        <select
          aria-label={`score of policy ${at + 1}`}
          value={scorer ?? 'own'}
          onChange={({ target }) => withPart({ scorer: SCORERS[target.value] })}
        >
          {Object.keys(SCORERS).map((name) => (
            <option key={name}>{name}</option>
          ))}
          {scorer === undefined && <option value="own">own, see parameters</option>}
        </select>
      </label>
      <label>
        the rest is{' '}
        <select
          aria-label={`action of policy ${at + 1}`}
          value={policy.action.type}
          onChange={({ target }) => withPart({ action: ACTIONS[target.value] })}
        >
          {[...new Set([...Object.keys(ACTIONS), policy.action.type])].map((type) => (
            <option key={type}>{type}</option>
          ))}
        </select>
      </label>
      {share !== undefined && (
        <ShareField
          name={`share of policy ${at + 1}`}
          share={share}
          onShare={(next) => withPart({ budget: { type: 'ratio', share: next } })}
        />
      )}
    </>
  );
}

/** Whether every named field of `part` has its value in `whole`. */
function holds(whole: unknown, part: unknown): boolean {
  return Object.entries(part as object).every(
    ([name, value]) => (whole as Record<string, unknown>)[name] === value,
  );
}
