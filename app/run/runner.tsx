'use client';

import { useEffect, useState } from 'react';
import { runHeadless } from '../../lib/run/headless';
import { createPageSession } from '../workers';

declare global {
  interface Window {
    /** Runs a notebook given as JSON text; resolves to its outcomes as JSON text. See `runHeadless`. */
    headroomRun?: (notebookJson: string) => Promise<string>;
  }
}

/** Offers `window.headroomRun`; `data-runner` says when it is there. */
export function Runner() {
  const [isReady, setReady] = useState(false);
  useEffect(() => {
    window.headroomRun = (notebookJson) => runHeadless(notebookJson, createPageSession);
    setReady(true);
    return () => {
      delete window.headroomRun;
    };
  }, []);
  return <p data-runner={isReady ? 'ready' : 'starting'}>{isReady ? 'Ready.' : 'Starting.'}</p>;
}
