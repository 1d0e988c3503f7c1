'use client';

import { partsOf } from '../../lib/attention/select/parts-of';
import type { AttentionSelection } from '../../lib/spec/kinds/selection';
import type { JsonSchema } from '../../lib/spec/ranges';
import { SchemaForm } from '../parts/schema-form';
import { ComposedSelectionEditor } from './composed-selection';
import { SelectionChoiceEditor } from './selection-choice';
import { methodNote } from './selection-notes';
import { useParamsProblem } from './use-params-problem';
import styles from './variant-editor.module.css';

interface Props {
  readonly label: string;
  readonly select: AttentionSelection;
  readonly schema: JsonSchema;
  /** Of the selection in the params. */
  readonly path: readonly string[];
  readonly isCausal: boolean;
  /** Tries a value at a path of the params; gives the sentence why not, or undefined. */
  readonly onSet: (path: readonly string[], value: unknown) => string | undefined;
}

const typeOf = ({ properties }: JsonSchema) => properties?.type?.const;

/** One way of selecting keys, by its name, and the form of what it takes. */
export function SelectionMethodEditor({ label, select, schema, path, isCausal, onSet }: Props) {
  const [problem, setProblem] = useParamsProblem(select);
  const options = schema.oneOf ?? schema.anyOf ?? [];
  const names = options.map((option) => String(typeOf(option)));
  const chosen = options.find((option) => typeOf(option) === select.type);
  const isInParts = select.type === 'composed' || select.type === 'choice';
  const parts = isInParts ? undefined : partsOf(select, isCausal);
  const inParts = parts !== undefined && names.includes(parts.type) ? parts : undefined;
  // What was chosen before goes on where parts can say it.
  const choose = (type: string) =>
    setProblem(onSet(path, type === inParts?.type ? inParts : { type }));
  return (
    <>
      <label className={styles.choice}>
        {label}{' '}
        <select value={select.type} onChange={(event) => choose(event.target.value)}>
          {names.map((type) => (
            <option key={type}>{type}</option>
          ))}
        </select>
      </label>
      <p className={styles.note}>
        {methodNote(select, path.length > 1)}{' '}
        {inParts !== undefined && (
          <button type="button" onClick={() => choose(inParts.type)}>
            Edit its parts
          </button>
        )}
      </p>
      {problem !== undefined && (
        <p className={styles.refused} role="alert">
          {problem}
        </p>
      )}
      {chosen !== undefined && (
        <MethodForm select={select} schema={chosen} path={path} isCausal={isCausal} onSet={onSet} />
      )}
    </>
  );
}

function MethodForm(props: Omit<Props, 'label'>) {
  const { select, ...rest } = props;
  if (select.type === 'composed') return <ComposedSelectionEditor composed={select} {...rest} />;
  if (select.type === 'choice') return <SelectionChoiceEditor choice={select} {...rest} />;
  return <SchemaForm schema={rest.schema} value={select} path={rest.path} onSet={rest.onSet} />;
}
