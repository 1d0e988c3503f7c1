'use client';

import { useId, useState } from 'react';
import type { Session } from '../../lib/run/session-types';
import type { ModelParams } from '../../lib/spec/kinds/model';
import type { CellOf } from '../../lib/spec/notebook';
import { bundleFiles } from '../../lib/transformer/load/bundle';
import { gatherFiles } from '../../lib/transformer/load/model-files';
import { fetchRange } from '../../workers/model-fetch';
import { ENGINE_HELP } from '../parts/engine-help';
import { LoadModel } from '../parts/load-model';
import { Region } from '../parts/region';
import type { OnLoad } from '../parts/use-model-loading';
import type { EditActions } from '../state/use-notebook';
import styles from './model-result.module.css';

interface Props {
  readonly cell: CellOf<'model'>;
  readonly session: Session;
  readonly edit: EditActions;
}

/** Which model, and the text it reads. */
export function ModelEditor({ cell, session, edit }: Props) {
  const id = useId();
  const { source, prompt } = cell.params;
  const [isOwn, setOwn] = useState(source.type !== 'recall');
  const [problem, setProblem] = useState<string>();
  const setSource = (next: ModelParams['source']) => edit.param(cell.id, ['source'], next);

  /** Weights are read when the cell runs, in its worker: here the cell is told where they are. */
  const onLoad: OnLoad = async (chosen) => {
    const refused =
      chosen.kind === 'url' ? setSource({ type: 'url', base: chosen.base }) : bind(chosen.files);
    if (refused !== undefined) throw new Error(refused);
    session.run(cell.id);
  };
  function bind(files: readonly { readonly path: string; readonly file: Blob }[]) {
    const gathered = gatherFiles(files);
    const config = files.find(({ path }) => path.endsWith('/config.json'));
    const name = config?.path.split('/').at(-2) ?? 'own model';
    const refused = setSource({ type: 'file', fileName: name.slice(0, 200) });
    if (refused === undefined) session.bindFile(cell.id, bundleFiles(gathered, name));
    return refused;
  }
  return (
    <Region className={styles.editor} label="model and prompt">
      <div className={styles.choices}>
        <label>
          model{' '}
          <select
            value={isOwn ? 'own' : 'recall'}
            onChange={({ target }) => {
              const wantsOwn = target.value === 'own';
              setOwn(wantsOwn);
              if (!wantsOwn && source.type !== 'recall') setProblem(setSource({ type: 'recall' }));
            }}
          >
            <option value="recall">recall model, shipped with the page</option>
            <option value="own">your own</option>
          </select>
        </label>
        {source.type === 'file' && session.boundFile(cell.id) === undefined && (
          <span className={styles.missing}>
            choose the files of {source.fileName || 'the model'} again: they never travel
          </span>
        )}
      </div>
      {isOwn && <LoadModel onLoad={onLoad} fetchRange={fetchRange} />}
      <label htmlFor={id}>prompt</label>
      <textarea
        id={id}
        rows={3}
        spellCheck={false}
        value={prompt}
        onChange={({ target }) => setProblem(edit.param(cell.id, ['prompt'], target.value))}
      />
      {source.type === 'recall' && (
        <p className={styles.hint}>
          It knows 242 words: names, numbers, a little English and the signs : ; ? . – a fact is{' '}
          <code>paris : 42 ;</code>, a question <code>? paris :</code>
        </p>
      )}
      <p className={styles.hint}>{ENGINE_HELP}</p>
      {problem !== undefined && (
        <p className={styles.missing} role="alert">
          {problem}
        </p>
      )}
    </Region>
  );
}
