import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createNodeSession } from '../../../lib/cli/run/node-session';
import { isJobCell } from '../../../lib/run/job-kinds';
import { readRecorded } from '../../../lib/run/recorded';
import { parseFile } from '../../../lib/spec/markdown';

const NOTEBOOKS = new URL('../../../notebooks/', import.meta.url);
const RECORDED = new URL('../../../public/recorded/', import.meta.url);

describe('the results that travel with the page', () => {
  const names = readdirSync(NOTEBOOKS).filter((name) => name.endsWith('.md'));

  test('are there for every bundled notebook', () => {
    const recorded = readdirSync(RECORDED).filter((name) => name.endsWith('.json'));
    expect(recorded.toSorted()).toEqual(
      names.map((name) => name.replace(/\.md$/, '.json')).toSorted(),
    );
  });

  test.each(names)('are read, and fit every cell of %s that computes something', async (name) => {
    const parsed = parseFile(readFileSync(new URL(name, NOTEBOOKS), 'utf8'));
    if (!parsed.ok) throw new Error(parsed.issues[0]?.message);
    const json = readFileSync(new URL(name.replace(/\.md$/, '.json'), RECORDED), 'utf8');
    const results = readRecorded(json);
    const { session, close } = createNodeSession(parsed.notebook);
    const hasShown = new Promise<void>((resolve) => session.subscribe(resolve));
    session.loadRecorded(results);
    await hasShown;
    for (const cell of parsed.notebook.cells.filter(isJobCell)) {
      const status = session.statuses().get(cell.id);
      expect([cell.id, status?.state]).toEqual([cell.id, 'done']);
      expect(status?.result?.provenance.recorded).toBe(true);
    }
    await close();
  });
});
