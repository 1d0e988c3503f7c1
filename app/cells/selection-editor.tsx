'use client';

import { takenApart } from '../../lib/attention/select/taken-apart';
import type { AttentionParams } from '../../lib/spec/kinds/attention';
import { paramsSchema } from '../../lib/spec/ranges';
import { SchemaForm } from '../parts/schema-form';
import { ComposedSelectionEditor } from './composed-selection';
import { useParamsProblem } from './use-params-problem';
import styles from './variant-editor.module.css';

type SelectionType = AttentionParams['select']['type'];

/** What each method looks at, and where it comes from. */
const METHODS: Readonly<Record<SelectionType, string>> = {
  none: 'every key that the variant leaves',
  'a-shape': 'the first keys and a window (MInference)',
  'vertical-slash': 'columns and diagonals that the last queries attend to (MInference)',
  'line-cover': 'the fewest columns and diagonals that cover a share of the mass (LoopServe)',
  'block-sparse': 'blocks whose mean queries and keys agree most (MInference)',
  'pattern-search': 'per head the best of three patterns, searched on a sample (MInference)',
  flexprefill: 'per head blocks or lines, as many as a share of the mass needs (FlexPrefill)',
  sale: 'blocks that a low-bit estimate cannot rule out (SALE)',
  pbs: 'keys sorted within segments, then blocks up to a share (PBS-Attn)',
  hip: 'a tree search for the best keys by representatives (HiP Attention)',
  quest: 'pages by the bound of their smallest and largest keys (Quest)',
  lserve: 'pages by the bounds of their parts (LServe)',
  xattention: 'blocks by sums along antidiagonals (XAttention)',
  moba: 'the blocks with the best mean key per query (MoBA)',
  nsa: 'compressed keys choose blocks, beside a window (NSA)',
  composed: 'keys chosen by parts: what stands for keys, which queries score them, what is kept',
  'oracle-top-k': 'the blocks with the most true mass: a bound for the others',
  'oracle-top-p': 'the fewest blocks with a share of the true mass: a bound for the others',
};

interface Props {
  readonly params: AttentionParams;
  readonly onSet: (path: readonly string[], value: unknown) => string | undefined;
}

/** Which keys are chosen from the data, within a dense or causal variant. */
export function SelectionEditor({ params, onSet }: Props) {
  const { select, variant } = params;
  const [problem, setProblem] = useParamsProblem(select);
  if (variant.type !== 'dense' && variant.type !== 'causal') return null;
  const options = paramsSchema('attention').properties?.select;
  const chosen = (options?.oneOf ?? options?.anyOf)?.find(
    ({ properties }) => properties?.type?.const === select.type,
  );
  const isCausal = variant.type === 'causal';
  const inParts = select.type === 'composed' ? undefined : takenApart(select, isCausal);
  // What was chosen before goes on where parts can say it.
  const choose = (type: string) =>
    setProblem(onSet(['select'], (type === 'composed' ? inParts : undefined) ?? { type }));
  return (
    <>
      <label className={styles.choice}>
        selection{' '}
        <select value={select.type} onChange={(event) => choose(event.target.value)}>
          {Object.keys(METHODS).map((type) => (
            <option key={type}>{type}</option>
          ))}
        </select>
      </label>
      <p className={styles.note}>
        {METHODS[select.type]}{' '}
        {inParts !== undefined && (
          <button type="button" onClick={() => choose('composed')}>
            Edit its parts
          </button>
        )}
      </p>
      {problem !== undefined && (
        <p className={styles.refused} role="alert">
          {problem}
        </p>
      )}
      {chosen !== undefined &&
        (select.type === 'composed' ? (
          <ComposedSelectionEditor
            composed={select}
            isCausal={isCausal}
            schema={chosen}
            onSet={onSet}
          />
        ) : (
          <SchemaForm schema={chosen} value={select} path={['select']} onSet={onSet} />
        ))}
    </>
  );
}
