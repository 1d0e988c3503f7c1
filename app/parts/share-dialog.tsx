'use client';

import { useEffect, useRef, useState } from 'react';
import { lengthBand } from '../../lib/share/length-band';
import { encodeLink } from '../../lib/share/link';
import type { Notebook } from '../../lib/spec/notebook';
import { fileNameOf, fileTextOf } from '../state/edits';
import { saveText } from '../state/save';
import { Dialog } from './dialog';

/** Absolute address of a notebook, wherever the site is mounted. */
export async function linkTo(notebook: Notebook): Promise<string> {
  const base = process.env.HEADROOM_BASE_PATH ?? '';
  return `${location.origin}${base}/n/${await encodeLink(notebook)}`;
}

export function ShareDialog({
  notebook,
  onClose,
}: {
  readonly notebook: Notebook;
  readonly onClose: () => void;
}) {
  const [link, setLink] = useState<string>();
  const [message, setMessage] = useState('');
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    let isCurrent = true;
    linkTo(notebook).then((text) => isCurrent && setLink(text));
    return () => {
      isCurrent = false;
    };
  }, [notebook]);

  const copy = async () => {
    try {
      await navigator.clipboard.writeText(link ?? '');
      setMessage('Link copied.');
    } catch {
      field.current?.select();
      setMessage('The browser does not allow copying: the link is selected, press Control-C.');
    }
  };
  return (
    <Dialog title="Share this experiment" onClose={onClose}>
      <p>
        The whole notebook is in the link, after the <code>#</code>; nothing is uploaded. Files and
        results do not travel: the same numbers come back when it is run.
      </p>
      <label htmlFor="share-link">Link</label>
      <textarea
        id="share-link"
        ref={field}
        readOnly
        rows={4}
        value={link ?? 'encoding'}
        style={{ width: '100%' }}
      />
      <p data-testid="link-length">
        {link === undefined
          ? ''
          : `${link.length.toLocaleString('en')} characters: ${lengthBand(link.length).label}.`}
      </p>
      <p role="status">{message}</p>
      <button type="button" data-primary="" disabled={link === undefined} onClick={copy}>
        Copy link
      </button>{' '}
      <button
        type="button"
        onClick={() => saveText(fileTextOf(notebook), fileNameOf(notebook), 'text/markdown')}
      >
        Download file
      </button>
    </Dialog>
  );
}
