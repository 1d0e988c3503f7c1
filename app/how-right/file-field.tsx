'use client';

import { type DragEvent, type ReactNode, useId, useState } from 'react';
import { droppedFiles } from '../parts/dropped-files';
import { type PickedFile, pickedFiles } from '../parts/picked-files';
import styles from './how-right.module.css';

interface Props {
  readonly title: string;
  readonly help: ReactNode;
  readonly accept: string;
  readonly takesFolder: boolean;
  readonly files: readonly PickedFile[];
  readonly onFiles: (files: readonly PickedFile[]) => void;
  readonly onProblem: (problem: string) => void;
}

/** React knows no attribute for choosing a folder. */
const FOLDER = { webkitdirectory: '' };

/** Files or a folder, chosen or dropped; what is chosen next replaces it. */
export function FileField({ title, help, accept, takesFolder, files, onFiles, onProblem }: Props) {
  const id = useId();
  const [isOver, setOver] = useState(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    droppedFiles(event.dataTransfer).then(onFiles, (error: Error) =>
      onProblem(`cannot read what was dropped: ${error.message}`),
    );
  };
  const inputs = [
    { name: 'files', extra: { accept } },
    ...(takesFolder ? [{ name: 'folder', extra: FOLDER }] : []),
  ];
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out as a drop target with a heading of its own
    <div
      role="group"
      aria-labelledby={`${id}-title`}
      aria-describedby={`${id}-help`}
      className={styles.drop}
      data-over={isOver}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <h3 id={`${id}-title`}>{title}</h3>
      <p id={`${id}-help`}>{help}</p>
      <div className={styles.choices}>
        {inputs.map(({ name, extra }) => (
          <label key={name} className={styles.choose}>
            Choose {name}
            <input
              type="file"
              multiple
              className="visually-hidden"
              aria-label={`${title}: choose ${name}`}
              {...extra}
              onChange={({ target }) => {
                onFiles(pickedFiles(target.files));
                // Choosing the same files again, changed meanwhile, is a choice too.
                target.value = '';
              }}
            />
          </label>
        ))}
        <span className={styles.chosen}>{chosenText(files)}</span>
      </div>
    </div>
  );
}

const NAMED = 4;

function chosenText(files: readonly PickedFile[]): string {
  if (files.length === 0) return 'nothing chosen';
  const names = files.slice(0, NAMED).map(({ path }) => path);
  return `${names.join(', ')}${files.length > NAMED ? ` and ${files.length - NAMED} more` : ''}`;
}
