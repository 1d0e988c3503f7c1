'use client';

import { useState } from 'react';
import Markdown from 'react-markdown';
import type { CellOf } from '../../lib/spec/notebook';
import type { EditActions } from '../state/use-notebook';
import { CellMenu } from './cell-menu';
import styles from './text-cell.module.css';

interface Props {
  readonly cell: CellOf<'text'>;
  readonly edit: EditActions;
}

/** Links that a document may carry: no script, no data. */
function safeUrl(url: string): string {
  return /^(https?:|mailto:|#)/i.test(url) ? url : '';
}

export function TextCell({ cell, edit }: Props) {
  const [isEditing, setEditing] = useState(false);
  const [problem, setProblem] = useState<string>();
  const { markdown } = cell.params;
  return (
    <div className={styles.text}>
      {isEditing && (
        <textarea
          aria-label={`Markdown of ${cell.id}`}
          // The reader has just asked to edit this very text.
          ref={(element) => element?.focus()}
          defaultValue={markdown}
          rows={Math.max(4, markdown.split('\n').length + 1)}
          onChange={(event) => setProblem(edit.param(cell.id, ['markdown'], event.target.value))}
          onKeyDown={(event) => event.key === 'Escape' && setEditing(false)}
        />
      )}
      {problem !== undefined && <p role="alert">{problem}</p>}
      <Markdown
        skipHtml
        urlTransform={safeUrl}
        components={{
          a: ({ children, href }) => (
            <a href={href} rel="noopener noreferrer">
              {children}
            </a>
          ),
          // The notebook's title is the page's one heading of the first level.
          h1: ({ children }) => <h2>{children}</h2>,
          img: ({ alt }) => <span>[image: {alt}]</span>,
        }}
      >
        {markdown}
      </Markdown>
      {markdown.trim() === '' && <p className={styles.empty}>empty text</p>}
      <div className={styles.actions}>
        <button type="button" className={styles.edit} onClick={() => setEditing(!isEditing)}>
          {isEditing ? 'Done' : 'Edit text'}
        </button>
        <CellMenu id={cell.id} edit={edit} />
      </div>
    </div>
  );
}
