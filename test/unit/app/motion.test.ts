import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const sheets = readdirSync('app', { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.css'))
  .map((path) => [path, readFileSync(`app/${path}`, 'utf8')] as const);

test('what moves lasts as long as a token says, which is nothing where motion is unwanted', () => {
  const moving = sheets.flatMap(([path, text]) =>
    [...text.matchAll(/^\s*(?:transition|animation)[\w-]*:.*$/gm)].map(([line]) => ({
      path,
      line: line.trim(),
    })),
  );
  expect(moving).not.toEqual([]);
  expect(moving.filter(({ line }) => !/var\(--duration-\w+\)/.test(line))).toEqual([]);
  const tokens = readFileSync('app/tokens.css', 'utf8');
  const [, reduced = ''] = /prefers-reduced-motion: reduce\) \{([\s\S]*)\}\s*$/.exec(tokens) ?? [];
  const named = [...tokens.matchAll(/(--duration-\w+):/g)].map(([, token]) => token ?? '');
  expect(named.filter((token) => !reduced.includes(`${token}: 0ms`))).toEqual([]);
});
