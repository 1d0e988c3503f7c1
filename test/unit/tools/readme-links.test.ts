import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';

const filesBelow = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path));
const pages = [
  ...readdirSync('.'),
  ...['app', 'lib', 'notebooks', 'test'].flatMap(filesBelow),
].filter((path) => path.endsWith('.md'));
/** Fenced code is no prose: what looks like a link there is none. */
const proseOf = (path: string) =>
  readFileSync(path, 'utf8').replaceAll(/^(`{3,})[\s\S]*?^\1/gm, '');

/** As GitHub makes anchors of headings. */
const anchorsOf = (path: string) =>
  [...proseOf(path).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

/** Targets within the repository that lead nowhere. */
function deadLinks(path: string): string[] {
  return [...proseOf(path).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [file = '', anchor] = target.split('#');
      const found = file === '' ? path : join(dirname(path), file);
      if (!existsSync(found)) return true;
      return anchor !== undefined && !anchorsOf(found).includes(anchor);
    });
}

test('there are pages to look at', () => {
  expect(pages).toContain('README.md');
  expect(pages.length).toBeGreaterThan(20);
});

describe.each(pages)('%s', (path) => {
  test('links to files that are there', () => {
    expect(deadLinks(path)).toEqual([]);
  });
});

const readme = readFileSync('README.md', 'utf8');

test('the README names scripts and commands that there are', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
  const named = [...readme.matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, name]) => name);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((name) => scripts[name ?? ''] === undefined)).toEqual([]);
});

test('every room has a line in lib/README.md', () => {
  const rooms = readdirSync('lib', { withFileTypes: true }).filter((each) => each.isDirectory());
  const map = readFileSync('lib/README.md', 'utf8');
  const missing = rooms.filter(({ name }) => !new RegExp(`\\b${name}\\b`).test(map));
  expect(missing).toEqual([]);
});
