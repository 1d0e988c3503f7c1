'use client';

import { useEffect, useState } from 'react';
import type { Session } from '../lib/run/session-types';
import { parseFile } from '../lib/spec/markdown';
import source from '../notebooks/why-split-prefill-and-decode.md';
import { loadRecorded } from './state/load-recorded';
import { Workbench } from './workbench';
import { createPageSession } from './workers';

/** The first notebook: recorded results at once, live ones on the reader's click. */
export default function Page() {
  const [session, setSession] = useState<Session>();
  useEffect(() => {
    const parsed = parseFile(source);
    if (!parsed.ok)
      throw new Error(`the bundled notebook is invalid: ${parsed.issues[0]?.message}`);
    const created = createPageSession(parsed.notebook);
    setSession(created);
    void loadRecorded(created, 'why-split-prefill-and-decode');
    return () => created.dispose();
  }, []);
  return session === undefined ? <main id="notebook" /> : <Workbench session={session} />;
}
