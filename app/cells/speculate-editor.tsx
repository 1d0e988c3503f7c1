'use client';

import type { SpeculateParams } from '../../lib/spec/kinds/speculate';
import { SPECULATION } from '../../lib/speculate/presets';
import { Region } from '../parts/region';
import styles from './recall-gap.module.css';
import { useParamsProblem } from './use-params-problem';

interface Props {
  readonly params: SpeculateParams;
  /** Gives the sentence why not, or undefined. */
  readonly onParams: (params: unknown) => string | undefined;
}

type Text = SpeculateParams['text'];

const SAMPLES: Readonly<Record<Extract<Text, { type: 'sample' }>['sample'], string>> = {
  facts: 'facts and questions',
  passkey: 'a passkey in filler',
  copy: 'a random sequence, copied',
  filler: 'filler',
};

/** Drafters that keep no share of a cache. */
const WITHOUT_SHARE = new Set([
  'draft-lookup',
  'draft-jacobi',
  'draft-jacobi-recycled',
  'draft-rapid',
  'draft-full',
]);

/** Who drafts, how far, and on which text. */
export function SpeculateEditor({ params, onParams }: Props) {
  const [problem, tell] = useParamsProblem(params);
  const set = (change: Partial<SpeculateParams>) => tell(onParams({ ...params, ...change }));
  const { drafter, share, draftTokens, text, newTokens } = params;
  const preset = SPECULATION.get(drafter);
  const number = (value: string) => (value.trim() === '' ? Number.NaN : Number(value));
  return (
    <Region className={styles.editor} label="drafter and text">
      <div className={styles.choice}>
        <label>
          drafter{' '}
          <select value={drafter} onChange={({ target }) => set({ drafter: target.value })}>
            {preset === undefined && <option value={drafter}>{drafter} (not known)</option>}
            {[...SPECULATION.values()].map(({ id, label }) => (
              <option key={id} value={id}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <label>
          draft length{' '}
          <input
            type="number"
            min={1}
            max={16}
            value={draftTokens}
            onChange={({ target }) => set({ draftTokens: number(target.value) })}
          />
        </label>
        {!WITHOUT_SHARE.has(drafter) && (
          <label>
            of the cache{' '}
            <select value={share} onChange={({ target }) => set({ share: Number(target.value) })}>
              {[...new Set([share, 0.5, 0.25, 0.125, 0.0625])]
                .sort((a, b) => b - a)
                .map((each) => (
                  <option key={each} value={each}>
                    {Number((100 * each).toPrecision(3))} %
                  </option>
                ))}
            </select>
          </label>
        )}
        <label>
          tokens to write{' '}
          <input
            type="number"
            min={2}
            max={256}
            value={newTokens}
            onChange={({ target }) => set({ newTokens: number(target.value) })}
          />
        </label>
      </div>
      <div className={styles.choice}>
        <label>
          text{' '}
          <select
            value={text.type === 'sample' ? text.sample : 'prompt'}
            onChange={({ target }) => set({ text: textOf(target.value, text) })}
          >
            {Object.entries(SAMPLES).map(([id, name]) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
            <option value="prompt">a prompt of your own</option>
          </select>
        </label>
      </div>
      {text.type === 'prompt' && (
        <label>
          prompt
          <textarea
            value={text.prompt}
            spellCheck={false}
            onChange={({ target }) => set({ text: { type: 'prompt', prompt: target.value } })}
          />
        </label>
      )}
      {text.type === 'sample' && (
        <p className={styles.note}>
          the last {newTokens} of {text.textTokens} tokens are left off, and the model writes in
          their place
        </p>
      )}
      {preset !== undefined && (
        <p className={styles.note}>
          {preset.source}. {preset.defaults}
        </p>
      )}
      {problem !== undefined && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
    </Region>
  );
}

const FIRST_PROMPT = 'paris : 42 ; oslo : 17 ; rome : 93 ; ? oslo : 17 ; ? paris :';

function textOf(choice: string, before: Text): Text {
  if (choice === 'prompt') return { type: 'prompt', prompt: FIRST_PROMPT };
  const sample = choice as keyof typeof SAMPLES;
  return before.type === 'sample'
    ? { ...before, sample }
    : { type: 'sample', sample, textTokens: 256, seed: 7 };
}
