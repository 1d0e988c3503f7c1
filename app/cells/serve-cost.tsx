'use client';

import { useId } from 'react';
import type { Session } from '../../lib/run/session-types';
import { TRANSFORM_LIST } from '../../lib/serving/transforms/presets';
import { expectedTokens } from '../../lib/serving/transforms/speculation';
import type { ServeParams } from '../../lib/spec/kinds/serve';
import { Region } from '../parts/region';
import { ServeAcceptance } from './serve-acceptance';
import styles from './serve-cost.module.css';
import { useParamsProblem } from './use-params-problem';

interface Props {
  readonly params: ServeParams;
  readonly session: Session;
  /** Gives the sentence why not, or undefined. */
  readonly onParams: (params: unknown) => string | undefined;
}

type Roofline = Extract<ServeParams['costModel'], { readonly type: 'roofline' }>;

const OVERLAPS: Readonly<Record<Roofline['overlap']['type'], readonly [string, string]>> = {
  serial: ['one after another', 'operators and collectives run one after another.'],
  fused: [
    'arithmetic under memory',
    'a layer takes the larger of all its arithmetic and all its bytes, then its collectives.',
  ],
  lanes: [
    'three lanes (NanoFlow)',
    'compute, memory and network run at once: the longest counts, stretched by an assumed interference; each nano-batch reads the weights again.',
  ],
  'token-split': [
    'halves of a batch (TokenWeave)',
    'the collective of one half runs under the compute of the other, from a number of tokens on. needs tensor parallelism.',
  ],
};

const EVIDENCE = {
  abstract: "claimed numbers are those of the paper's abstract",
  code: "read in the authors' code",
  'third-party': "from somebody's summary",
  unverified: 'numbers not verified',
  arithmetic: 'by construction',
} as const;

/** What is done to the model and inside an iteration: transform, speculation, overlap, price. */
export function ServeCostEditor({ params, onParams, session }: Props) {
  const [problem, tell] = useParamsProblem(params);
  const ids = { transform: useId(), speculation: useId(), overlap: useId() };
  const set = (change: object) => tell(onParams({ ...params, ...change }));
  const { transform, speculation, costModel } = params;
  const chosen = transform.type === 'preset' ? transform.preset : transform.type;
  const preset = TRANSFORM_LIST.find(({ id }) => id === chosen);
  const chooseTransform = (id: string) =>
    set({
      transform: TRANSFORM_LIST.some((each) => each.id === id)
        ? { type: 'preset', preset: id }
        : // An own vector starts from the numbers of the method that was chosen.
          { type: id, ...(id === 'vector' ? preset?.vector : {}) },
    });
  return (
    <Region className={styles.editor} label="model and iteration">
      <div className={styles.fields}>
        <label>
          model transform
          <select
            value={chosen}
            aria-describedby={ids.transform}
            onChange={({ target }) => chooseTransform(target.value)}
          >
            <option value="none">none</option>
            {TRANSFORM_LIST.map(({ id, title }) => (
              <option key={id} value={id}>
                {title}
              </option>
            ))}
            <option value="vector">own multipliers</option>
          </select>
        </label>
        <label>
          speculation
          <select
            value={speculation.type}
            aria-describedby={ids.speculation}
            onChange={({ target }) => set({ speculation: { type: target.value } })}
          >
            <option value="none">none</option>
            <option value="draft">draft and verify</option>
          </select>
        </label>
        {costModel.type === 'roofline' && (
          <label>
            overlap
            <select
              value={costModel.overlap.type}
              aria-describedby={ids.overlap}
              onChange={({ target }) =>
                set({ costModel: { ...costModel, overlap: { type: target.value } } })
              }
            >
              {Object.entries(OVERLAPS).map(([type, [title]]) => (
                <option key={type} value={type}>
                  {title}
                </option>
              ))}
            </select>
          </label>
        )}
      </div>
      {speculation.type === 'draft' && (
        <ServeAcceptance
          speculation={speculation}
          session={session}
          onSpeculation={(change) => set({ speculation: { ...speculation, ...change } })}
        />
      )}
      <div className={styles.note} aria-live="polite">
        <p id={ids.transform}>
          {preset !== undefined &&
            `${preset.says} ${EVIDENCE[preset.evidence]}; quality is not simulated.`}
          {transform.type === 'vector' &&
            'multipliers of cost, in the form below; 1 and 0 change nothing.'}
        </p>
        <p id={ids.speculation}>
          {speculation.type === 'draft' &&
            `${expectedTokens(speculation).toFixed(2)} tokens a step from ${speculation.draftTokens} drafted. gaps between tokens are those of the mean step.`}
        </p>
        <p id={ids.overlap}>
          {costModel.type === 'roofline' &&
            costModel.overlap.type !== 'serial' &&
            OVERLAPS[costModel.overlap.type][1]}
        </p>
      </div>
      {problem !== undefined && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
    </Region>
  );
}
