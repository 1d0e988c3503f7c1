'use client';

import { useEffect, useState } from 'react';
import type { Session } from '../lib/run/session-types';
import { parseFile } from '../lib/spec/markdown';
import { loadRecorded } from './state/load-recorded';
import { Workbench } from './workbench';
import { createPageSession } from './workers';

interface Props {
  /** Name of the file in `notebooks`, without its ending. */
  readonly slug: string;
  /** Its text. */
  readonly source: string;
}

/** A notebook that travels with the page: recorded results at once, live ones on the reader's click. */
export function BundledNotebook({ slug, source }: Props) {
  const [session, setSession] = useState<Session>();
  useEffect(() => {
    const parsed = parseFile(source);
    if (!parsed.ok)
      throw new Error(`the bundled notebook is invalid: ${parsed.issues[0]?.message}`);
    const created = createPageSession(parsed.notebook);
    setSession(created);
    void loadRecorded(created, slug);
    return () => created.dispose();
  }, [slug, source]);
  return session === undefined ? (
    <main id="notebook" />
  ) : (
    <Workbench session={session} slug={slug} />
  );
}
