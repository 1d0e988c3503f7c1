import { beforeEach, describe, expect, test, vi } from 'vitest';
import { checkRow } from '../../../lib/cli/check/row';
import { CHECK_LIST } from '../../../lib/run/check-list';

const lines: string[] = [];
const errors: string[] = [];
beforeEach(() => {
  lines.length = 0;
  errors.length = 0;
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  vi.spyOn(console, 'error').mockImplementation((line: string) => void errors.push(line));
});

describe('headroom check row', () => {
  test('lists every check with its lab, or those of one', async () => {
    expect(await checkRow(['--list'])).toBe(0);
    expect(lines.map((line) => line.split('\t').slice(0, 2))).toEqual(
      CHECK_LIST.map(({ id, lab }) => [id, lab]),
    );
    lines.length = 0;
    expect(await checkRow(['--list', '--lab', 'cache'])).toBe(0);
    expect(lines).toContainEqual(expect.stringMatching(/^lserve\.cache\tcache\t.*\?$/));
    expect(lines.some((line) => line.startsWith('sarathi-serve'))).toBe(false);
  });

  test('runs a check of the cache lab on the shipped model', { timeout: 60_000 }, async () => {
    expect(await checkRow(['full', '--json', '--seed', '2'])).toBe(0);
    const result = JSON.parse(lines.join(''));
    expect(result).toMatchObject({
      id: 'full',
      lab: 'cache',
      params: { check: 'full', seed: 2 },
      evidence: 'arithmetic',
    });
    expect(result.figures[0]).toMatchObject({ label: 'accuracy, full', expected: { low: 90 } });
  });

  test('refuses what it does not know before it runs anything', async () => {
    expect(await checkRow([])).toBe(2);
    expect(await checkRow(['full', 'lunch'])).toBe(2);
    expect(await checkRow(['--list', '--lab', 'kitchen'])).toBe(2);
    expect(await checkRow(['--list', 'full'])).toBe(2);
    expect(errors.map((line) => line.split('\n')[0])).toEqual([
      'missing ID',
      expect.stringMatching(/^unknown check: "lunch"/),
      'invalid --lab: kitchen (expected serving, cache)',
      'unexpected argument: "full"',
    ]);
    for (const seed of ['x', '-1', '', '1.5']) {
      expect(await checkRow(['full', `--seed=${seed}`])).toBe(2);
      expect(errors.at(-1)).toContain(`invalid --seed: ${seed} (expected 0..2147483647)`);
    }
    expect(lines).toEqual([]);
  });
});
