import { describe, expect, it } from 'vitest';
import { sortFiles } from '../../../lib/serving/fidelity/sort-files';

const sorted = (...paths: string[]) => sortFiles(paths.map((path) => ({ path })));

describe('files of a drop', () => {
  it('finds the run, its tables by degree, and its tokens', () => {
    const found = sorted(
      'rtx/meta.json',
      'rtx/requests.jsonl',
      'profile/tp1/dense.csv',
      'profile/tp2/dense.csv',
      'profile/meta.yaml',
      'sharegpt.jsonl',
      'config.json',
      'rtx/plot.png',
      'run.json.gz',
    );
    expect(found.meta?.path).toBe('rtx/meta.json');
    expect(found.requests?.path).toBe('rtx/requests.jsonl');
    expect(found.tokens?.path).toBe('sharegpt.jsonl');
    expect(found.modelConfig?.path).toBe('config.json');
    expect([...found.tables.keys()]).toEqual(['tp1/dense.csv', 'tp2/dense.csv', 'meta.yaml']);
    expect(found.json.map(({ path }) => path)).toEqual(['run.json.gz']);
    expect(found.ignored).toEqual(['rtx/plot.png']);
  });

  it('refuses two files for one place', () => {
    expect(() => sorted('a/meta.json', 'b/meta.json')).toThrow(
      'two files for meta.json: a/meta.json and b/meta.json',
    );
    expect(() => sorted('a/dense.csv', 'b/dense.csv')).toThrow(/^two files for dense.csv/);
    expect(() => sorted('a.jsonl', 'b.jsonl')).toThrow(/^two files for the tokens/);
  });
});
