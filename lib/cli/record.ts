import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { inputsFirst } from '../run/content-key';
import { writeRecorded } from '../run/recorded';
import type { CellResult } from '../run/types';
import { parseFile } from '../spec/markdown';
import { createNodeSession } from './run/node-session';

// Runs the bundled notebooks and writes what the page shows before anything has run in it.
const NOTEBOOKS = new URL('../../notebooks/', import.meta.url);
const RECORDED = new URL('../../public/recorded/', import.meta.url);

await mkdir(RECORDED, { recursive: true });
for (const name of (await readdir(NOTEBOOKS)).filter((file) => file.endsWith('.md'))) {
  const parsed = parseFile(await readFile(new URL(name, NOTEBOOKS), 'utf8'));
  if (!parsed.ok)
    throw new Error(`${name}:${parsed.issues[0]?.line}: ${parsed.issues[0]?.message}`);
  const { session, close } = createNodeSession(parsed.notebook);
  const results = new Map<string, CellResult>();
  for (const { id } of inputsFirst(parsed.notebook)) {
    await session.run(id);
    const status = session.statuses().get(id);
    if (status?.state === 'failed') throw new Error(`${name}: cell "${id}": ${status.message}`);
    if (status?.result !== undefined) results.set(id, status.result);
  }
  await close();
  const json = writeRecorded(results);
  await writeFile(new URL(name.replace(/\.md$/, '.json'), RECORDED), json);
  console.log(`${name}: ${results.size} results, ${(json.length / 1024).toFixed(0)} KiB`);
}
