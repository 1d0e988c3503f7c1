import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cacheCheckOfMethod } from '../../../lib/methods/cache-check-cells';
import { CACHE_METHODS } from '../../../lib/methods/cache-methods';
import { METHODS, methodCells, methodNotebook, methodText } from '../../../lib/methods/methods';
import { cacheCheckId, listedCheck } from '../../../lib/run/check-list';
import { STRATEGY_PRESETS } from '../../../lib/serving/compose/presets';
import { parseFile, printMarkdown } from '../../../lib/spec/markdown';
import { parseNotebook } from '../../../lib/spec/validate';

describe('published methods', () => {
  it.each(METHODS.map((method) => [method.id, method] as const))(
    '%s is a valid notebook, as data and as a file',
    (_, method) => {
      const notebook = methodNotebook(method);
      expect(parseNotebook(notebook)).toEqual({ ok: true, notebook });
      expect(parseFile(printMarkdown(notebook))).toMatchObject({ ok: true, notebook });
    },
  );

  it('have ids of their own', () => {
    const ids = METHODS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('say what they leave out where they have no cells', () => {
    for (const method of METHODS) {
      if (method.cells.length === 0) expect(methodText(method)).toContain('Not in these cells');
    }
  });

  it('have checks that exist, at most one of each lab, the serving one under their own name', () => {
    for (const { id, cells } of METHODS) {
      const checks = cells
        .filter(({ kind }) => kind === 'check')
        .map(({ params }) => listedCheck((params as { check: string }).check));
      const serving = checks.filter(({ lab }) => lab === 'serving');
      expect(serving.every((each) => each.id === id)).toBe(true);
      expect(serving.length).toBeLessThanOrEqual(1);
      const cache = checks.filter(({ lab }) => lab === 'cache').map((each) => each.id);
      const expected = cacheCheckOfMethod(id);
      expect(cache).toEqual(expected === undefined ? [] : [expected]);
    }
  });

  it('of the cache lab all have a check, under the name that the list gives it', () => {
    for (const { id } of CACHE_METHODS) {
      const check = listedCheck(cacheCheckOfMethod(id) ?? '');
      expect(check.lab).toBe('cache');
      expect(cacheCheckId(check.check.id)).toBe(check.id);
    }
  });

  it('show a published strategy where they are one, and say that the load shares no tokens', () => {
    for (const id of ['continuum', 'lmcache', 'cachegen', 'cacheblend', 'cache-craft']) {
      const method = METHODS.find((each) => each.id === id)!;
      const served = method.cells.find(({ kind }) => kind === 'serve');
      const preset = STRATEGY_PRESETS.find((each) => each.id === id)!;
      expect(served?.params).toEqual({ strategy: preset.strategy });
      expect(method.leavesOut).toContain('in common');
    }
  });

  it('can be added twice: ids stay free and inputs follow', () => {
    const method = METHODS.find(({ id }) => id === 'minference')!;
    const first = methodCells(method, () => false);
    const taken = new Set(first.map(({ id }) => id));
    const second = methodCells(method, (id) => taken.has(id as string));
    const cells = [...first, ...second];
    expect(new Set(cells.map(({ id }) => id)).size).toBe(cells.length);
    expect(parseNotebook({ cells }).ok).toBe(true);
    expect(second.at(-1)).toMatchObject({
      inputs: [second.at(-3)!.id, second.at(-2)!.id],
    });
  });
});

const SYSTEMS = new URL('../../../../shared/systems.tsv', import.meta.url);
/** What the papers of the list are compared with, and not in it itself. */
const BASELINES = ['splitwise'];
describe.skipIf(!existsSync(SYSTEMS))('the list of papers (skipped where it is absent)', () => {
  it('has every method', () => {
    const rows = readFileSync(SYSTEMS, 'utf8').trim().split('\n').slice(1);
    const ids = new Set([...rows.map((row) => row.split('\t')[0]), ...BASELINES]);
    expect(METHODS.map(({ id }) => id).filter((id) => !ids.has(id))).toEqual([]);
  });
});
