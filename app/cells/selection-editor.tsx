'use client';

import type { AttentionParams } from '../../lib/spec/kinds/attention';
import { paramsSchema } from '../../lib/spec/ranges';
import { SelectionMethodEditor } from './selection-method';

interface Props {
  readonly params: AttentionParams;
  readonly onSet: (path: readonly string[], value: unknown) => string | undefined;
}

/** Which keys are chosen from the data, within a dense or causal variant. */
export function SelectionEditor({ params: { select, variant }, onSet }: Props) {
  if (variant.type !== 'dense' && variant.type !== 'causal') return null;
  return (
    <SelectionMethodEditor
      label="selection"
      select={select}
      schema={paramsSchema('attention').properties?.select ?? {}}
      path={['select']}
      isCausal={variant.type === 'causal'}
      onSet={onSet}
    />
  );
}
