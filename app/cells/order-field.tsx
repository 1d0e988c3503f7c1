'use client';

import { selectionOrder } from '../../lib/spec/kinds/selection-order';
import type { ComposedSelection } from '../../lib/spec/kinds/selection-parts';
import type { JsonSchema } from '../../lib/spec/ranges';
import { SelectField } from '../parts/fields';
import { SchemaForm } from '../parts/schema-form';
import styles from './composed-selection.module.css';

const AS_THEY_COME = 'as they come';
const SORTED = 'sorted';

interface Props {
  readonly composed: ComposedSelection;
  readonly schema: JsonSchema;
  /** Of the composed selection. */
  readonly path: readonly string[];
  readonly onSet: (path: readonly string[], value: unknown) => string | undefined;
}

/** Whether keys are sorted before blocks are made of them: a part that may be left out. */
export function OrderField({ composed: { order, blockTokens }, schema, path, onSet }: Props) {
  const at = [...path, 'order'];
  // Whole blocks, whatever their size.
  const segmentTokens = blockTokens * Math.max(1, Math.round(128 / blockTokens));
  const start = selectionOrder.parse({ segmentTokens, windowQueries: blockTokens });
  return (
    <>
      <fieldset className={styles.blocks}>
        <legend>order</legend>
        <SelectField
          label="keys"
          value={order === undefined ? AS_THEY_COME : SORTED}
          options={[AS_THEY_COME, SORTED]}
          onSet={(next) => onSet(at, next === SORTED ? start : undefined)}
        />
        {order !== undefined && (
          <SchemaForm
            schema={schema.properties?.order ?? {}}
            value={order}
            path={at}
            onSet={onSet}
          />
        )}
      </fieldset>
      <p className={styles.note} aria-live="polite">
        {order === undefined
          ? 'a block holds neighbours'
          : 'keys of a segment are sorted by the mean attention of the last queries, so that heavy ones share blocks; the segments of the query itself are kept, and forced keys, beside the budget'}
      </p>
    </>
  );
}
