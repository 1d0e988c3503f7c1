import { expect, test } from 'vitest';
import { componentSources } from './source-files';

const sources = [...componentSources()];

function places(pattern: RegExp, isRight: (tag: string, after: string) => boolean): string[] {
  return sources.flatMap(([path, text]) =>
    [...text.matchAll(pattern)]
      .filter(({ 0: tag, index }) => !isRight(tag, text.slice(index + tag.length)))
      .map(({ index }) => `${path}:${text.slice(0, index).split('\n').length}`),
  );
}

test('there are tables to look at', () => {
  expect(sources.filter(([, text]) => text.includes('<table')).length).toBeGreaterThan(20);
});

test('every table says what it is: by a caption, or a label where it has none', () => {
  const isNamed = (tag: string, after: string) =>
    /aria-label/.test(tag) || /^\s*<caption/.test(after);
  expect(places(/<table\b[^>]*>/g, isNamed)).toEqual([]);
});

test('every header cell says what it heads', () => {
  expect(places(/<th\b[^>]*>/g, (tag) => /\bscope=/.test(tag))).toEqual([]);
});
