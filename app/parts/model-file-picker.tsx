'use client';

import { type DragEvent, useId, useState } from 'react';
import { droppedFiles } from './dropped-files';
import styles from './load-model.module.css';
import { type PickedFile, pickedFiles } from './picked-files';

interface Props {
  readonly isDisabled: boolean;
  readonly onFiles: (files: readonly PickedFile[], label: string) => void;
  readonly onProblem: (problem: string) => void;
}

/** React knows no attribute for choosing a folder. */
const FOLDER = { webkitdirectory: '' };

/** Files or a folder of a model, chosen or dropped. */
export function ModelFilePicker({ isDisabled, onFiles, onProblem }: Props) {
  const id = useId();
  const [isOver, setIsOver] = useState(false);
  const take = (files: readonly PickedFile[]) => {
    if (files.length > 0) onFiles(files, labelOf(files));
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    event.stopPropagation();
    setIsOver(false);
    if (isDisabled) return;
    droppedFiles(event.dataTransfer).then(take, (error: Error) =>
      onProblem(`cannot read what was dropped: ${error.message}`),
    );
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a short way to what the inputs do
    <div
      className={styles.drop}
      data-over={isOver}
      onDragOver={(event) => {
        event.preventDefault();
        event.stopPropagation();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={drop}
    >
      <p id={`${id}-help`}>
        A Llama, Mistral, Qwen2, Qwen3 or SmolLM model: <code>config.json</code>,{' '}
        <code>tokenizer.json</code> and <code>model.safetensors</code>, or its shards with their
        index. Files stay on this machine.
      </p>
      <div className={styles.row}>
        {[
          { name: 'Choose files', extra: { accept: '.json,.safetensors' } },
          { name: 'Choose a folder', extra: FOLDER },
        ].map(({ name, extra }) => (
          <label key={name} className={styles.choose} data-disabled={isDisabled}>
            {name}
            <input
              type="file"
              multiple
              className="visually-hidden"
              disabled={isDisabled}
              aria-describedby={`${id}-help`}
              {...extra}
              onChange={({ target }) => {
                take(pickedFiles(target.files));
                // Choosing the same files again, changed meanwhile, is a choice too.
                target.value = '';
              }}
            />
          </label>
        ))}
        <span className={styles.soft}>or drop them here</span>
      </div>
    </div>
  );
}

function labelOf(files: readonly PickedFile[]): string {
  const config = files.find(({ path }) => path.endsWith('/config.json'));
  return config?.path.split('/').at(-2) ?? `${files.length} files`;
}
