import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { linkCommand } from '../../../lib/cli/commands/link';
import { openCommand } from '../../../lib/cli/commands/open';
import { validateCommand } from '../../../lib/cli/commands/validate';
import { parseFile } from '../../../lib/spec/markdown';

const folder = mkdtempSync(join(tmpdir(), 'headroom-documents-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const NOTEBOOK = 'notebooks/why-split-prefill-and-decode.md';

const out: string[] = [];
const errors: string[] = [];
beforeEach(() => {
  out.length = 0;
  errors.length = 0;
  vi.spyOn(console, 'log').mockImplementation((line: string) => void out.push(line));
  vi.spyOn(console, 'error').mockImplementation((line: string) => void errors.push(line));
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out.push(String(text));
    return true;
  });
});

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test('validate names the file, the line and the value of every error', async () => {
  const bad = write('bad.md', 'Text\n\n```cell serve #s\n{ "tensorParallel": 99 }\n```\n');
  expect(await validateCommand([NOTEBOOK, bad, join(folder, 'none.md')])).toBe(1);
  expect(out).toEqual([`${NOTEBOOK}: valid, 13 cells`]);
  expect(errors).toEqual([
    `${bad}:3: invalid tensorParallel: 99 (expected 1..16) at cells[1].params.tensorParallel`,
    `${join(folder, 'none.md')}: cannot read the file (ENOENT)`,
  ]);
});

test('a file goes through its link and comes back as the same notebook', async () => {
  expect(await linkCommand([NOTEBOOK, '--base', 'https://example.org/headroom/'])).toBe(0);
  const [link = ''] = out;
  expect(link).toMatch(/^https:\/\/example\.org\/headroom\/n\/#1\.[\w-]+$/);
  out.length = 0;
  expect(await openCommand([link])).toBe(0);
  const notebookOf = (text: string) => {
    const parsed = parseFile(text);
    return parsed.ok ? parsed.notebook : parsed.issues;
  };
  expect(notebookOf(out.join(''))).toEqual(notebookOf(readFileSync(NOTEBOOK, 'utf8')));
});

test('open explains a link that it cannot read', async () => {
  expect(await linkCommand([NOTEBOOK])).toBe(0);
  const link = out[0] ?? '';
  expect(await openCommand([`${link.slice(0, -9)}`])).toBe(1);
  expect(await openCommand(['https://example.org/n/'])).toBe(1);
  expect(errors).toHaveLength(2);
  expect(errors[0]).toMatch(/damaged|cut/);
  expect(errors[1]).toBe('this link carries no notebook');
});

test('commands without their argument print how they are used', async () => {
  expect([await validateCommand([]), await linkCommand([]), await openCommand([])]).toEqual([
    2, 2, 2,
  ]);
  expect(errors.every((line) => /^missing (FILE|LINK)\n\nusage: headroom /.test(line))).toBe(true);
});
