'use client';

import {
  type RecallGapParams,
  SIBLING_NAMES,
  type SiblingName,
} from '../../lib/spec/kinds/recall-gap';
import { Region } from '../parts/region';
import styles from './recall-gap.module.css';
import { useParamsProblem } from './use-params-problem';

interface Props {
  readonly params: RecallGapParams;
  /** Gives the sentence why not, or undefined. */
  readonly onParams: (params: unknown) => string | undefined;
}

const MIXERS: Readonly<Record<SiblingName, string>> = {
  softmax: 'full attention',
  linear: 'linear attention, additive state',
  'gated-delta': 'gated delta rule',
  'window-hybrid': 'a window of 16 tokens, then gated delta',
};

/** Which siblings are asked, and how the context is put to them. */
export function RecallGapEditor({ params, onParams }: Props) {
  const [problem, tell] = useParamsProblem(params);
  const set = (change: Partial<RecallGapParams>) => tell(onParams({ ...params, ...change }));
  const toggle = (name: SiblingName, isOn: boolean) =>
    set({
      models: SIBLING_NAMES.filter((each) => (each === name ? isOn : params.models.includes(each))),
    });
  return (
    <Region className={styles.editor} label="models and prompt">
      <fieldset className={styles.models}>
        <legend>models, alike but for how they mix tokens</legend>
        {SIBLING_NAMES.map((name) => {
          const isOn = params.models.includes(name);
          return (
            <label key={name}>
              <input
                type="checkbox"
                checked={isOn}
                disabled={isOn && params.models.length === 1}
                onChange={({ target }) => toggle(name, target.checked)}
              />{' '}
              {name} <small>{MIXERS[name]}</small>
            </label>
          );
        })}
      </fieldset>
      <div className={styles.choice}>
        <label>
          <input
            type="checkbox"
            checked={params.readTwice}
            onChange={({ target }) => set({ readTwice: target.checked })}
          />{' '}
          also with the context twice (JRT's prompt)
        </label>
        <label>
          questions{' '}
          <select
            value={params.order}
            onChange={({ target }) => set({ order: target.value as RecallGapParams['order'] })}
          >
            <option value="last">after the pairs</option>
            <option value="first">before the pairs too</option>
          </select>
        </label>
      </div>
      {params.order === 'first' && (
        <p className={styles.note}>
          no model was trained on rows that begin with questions: this shows what that costs, not
          what order can do for a model that knows it
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
