import { expect, test } from 'vitest';
import { basePathOf } from '../../../lib/tools/base-path.mjs';

test('a base path is nothing or begins with a slash and does not end with one', () => {
  for (const path of ['', '/headroom', '/a/b-c']) expect(basePathOf(path)).toBe(path);
  for (const path of ['headroom', '/', '/headroom/', '//a', '/a b', '/a?b'])
    expect(() => basePathOf(path)).toThrow(`invalid base path: ${path} (expected`);
});
