'use client';

import { useEffect, useState } from 'react';
import type { Session } from '../../lib/run/session-types';
import { type DecodedLink, decodeLink } from '../../lib/share/link';
import { formatIssue } from '../../lib/spec/issues';
import { notebookSchema } from '../../lib/spec/notebook';
import { Workbench } from '../workbench';
import { createPageSession } from '../workers';
import styles from './link-problem.module.css';

type Opened = { readonly session: Session; readonly isShared: boolean };

/** A shared notebook, from the fragment. What cannot be opened is explained, never replaced by a demo. */
export default function SharedPage() {
  const [opened, setOpened] = useState<Opened>();
  const [problem, setProblem] = useState<Exclude<DecodedLink, { kind: 'ok' | 'empty' }>>();
  useEffect(() => {
    let current: Session | undefined;
    let turn = 0;
    const open = async () => {
      const mine = ++turn;
      const decoded = await decodeLink(location.hash);
      if (mine !== turn) return;
      current?.dispose();
      current = undefined;
      if (decoded.kind === 'ok' || decoded.kind === 'empty') {
        const isShared = decoded.kind === 'ok';
        current = createPageSession(isShared ? decoded.notebook : notebookSchema.parse({}));
        setProblem(undefined);
        setOpened({ session: current, isShared });
      } else {
        setOpened(undefined);
        setProblem(decoded);
      }
    };
    void open();
    window.addEventListener('hashchange', open);
    return () => {
      turn++;
      window.removeEventListener('hashchange', open);
      current?.dispose();
    };
  }, []);

  if (problem !== undefined) return <LinkProblem problem={problem} />;
  if (opened === undefined) return <main id="notebook" />;
  const banner = opened.isShared
    ? 'Shared notebook. Nothing has run: a link shows, only you run.'
    : 'New notebook. Add a cell below, or open a file.';
  return (
    <Workbench
      key={opened.isShared ? location.hash : 'new'}
      session={opened.session}
      banner={banner}
    />
  );
}

function LinkProblem({
  problem,
}: {
  readonly problem: Exclude<DecodedLink, { kind: 'ok' | 'empty' }>;
}) {
  const base = process.env.HEADROOM_BASE_PATH ?? '';
  return (
    <main id="notebook" className={styles.problem}>
      <h1>This link cannot be opened</h1>
      <p role="alert">{problem.message}</p>
      {problem.kind === 'invalid' && (
        <ul>
          {problem.issues.map((issue) => (
            <li key={issue.path}>{formatIssue(issue)}</li>
          ))}
        </ul>
      )}
      {problem.kind === 'damaged' && (
        <p>
          Mail and chat programs cut long links. Ask for the link again, or for the notebook as a
          file, and open that on the start page.
        </p>
      )}
      <p>
        <a href={`${base}/`}>To the start page</a>
      </p>
    </main>
  );
}
