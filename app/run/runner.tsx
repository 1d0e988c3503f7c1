'use client';

import { useEffect, useState } from 'react';
import { createHeadlessRunner } from '../../lib/run/headless';
import { notebookSchema } from '../../lib/spec/notebook';
import { createPageSession } from '../workers';

declare global {
  interface Window {
    /** Runs a notebook given as JSON text over a file; resolves to its outcomes as JSON text. See `createHeadlessRunner`. */
    headroomRun?: (notebookJson: string, file?: File) => Promise<string>;
  }
}

/** Offers `window.headroomRun`; `data-runner` says when it is there. */
export function Runner() {
  const [isReady, setReady] = useState(false);
  useEffect(() => {
    const session = createPageSession(notebookSchema.parse({}));
    window.headroomRun = createHeadlessRunner(session);
    setReady(true);
    return () => {
      delete window.headroomRun;
      session.dispose();
    };
  }, []);
  return (
    <>
      <p data-runner={isReady ? 'ready' : 'starting'}>{isReady ? 'Ready.' : 'Starting.'}</p>
      <label>
        File that the cells read <input type="file" />
      </label>
    </>
  );
}
