'use client';

import { classifierOf } from '../../lib/evaluate/policies';
import type { CacheEntry } from '../../lib/spec/kinds/cache';

type PresetEntry = Extract<CacheEntry, { type: 'preset' }>;

/** The same share of another preset; gates go where there are classes of heads. */
export function withId({ gates, ...entry }: PresetEntry, id: string): PresetEntry {
  return { ...entry, id, ...(gates && classifierOf(id) ? { gates } : {}) };
}

const OWN_NAMES: Readonly<Record<string, string>> = {
  'mean-query': 'mean-query proxy',
  'echo-induction': 'echo and induction',
};
const SAMPLES = [4, 8, 16, 32, 64];

/** How the classes of heads are told apart, for presets that have them. */
export function GatesField(props: {
  readonly entry: PresetEntry;
  readonly at: number;
  readonly onEntry: (entry: PresetEntry) => void;
}) {
  const { entry, at, onEntry } = props;
  const classifier = classifierOf(entry.id);
  if (classifier === undefined) return null;
  const samples = entry.gates?.samples;
  const offered =
    samples === undefined || SAMPLES.includes(samples)
      ? SAMPLES
      : [...SAMPLES, samples].sort((a, b) => a - b);
  const setGates = (text: string) => {
    const { gates: _, ...own } = entry;
    onEntry(text === 'own' ? own : { ...own, gates: { type: 'fitted', samples: Number(text) } });
  };
  return (
    <label>
      heads by{' '}
      <select
        aria-label={`gates of policy ${at + 1}`}
        value={samples ?? 'own'}
        onChange={({ target }) => setGates(target.value)}
      >
        <option value="own">{OWN_NAMES[classifier.type] ?? classifier.type}</option>
        {offered.map((count) => (
          <option key={count} value={count}>
            gates fitted on {count} samples
          </option>
        ))}
      </select>
    </label>
  );
}
