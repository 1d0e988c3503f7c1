import { describe, expect, it } from 'vitest';
import { findMethods } from '../../../lib/methods/find';
import { METHODS, methodNotebook } from '../../../lib/methods/methods';
import { PRESET_METHODS } from '../../../lib/methods/preset-methods';

const ALL = [...METHODS, ...PRESET_METHODS];

describe('presets as methods', () => {
  it('are new names, each a notebook', () => {
    const ids = ALL.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const method of PRESET_METHODS) {
      expect(methodNotebook(method).cells.length, method.id).toBeGreaterThan(1);
      expect(method.says, method.id).not.toBe('');
    }
  });
});

describe('findMethods', () => {
  it.each([
    ['streaming llm', 'streaming-llm'],
    ['flash attention', 'flash-attention-2'],
    ['FlashAttention-2', 'flash-attention-2'],
    ['  SNAPKV ', 'snapkv'],
    ['h2o', 'h2o'],
    ['quest', 'quest'],
    ['mamba 2', 'mamba-2'],
    ['orca', 'orca'],
    ['alibi', 'alibi'],
  ])('%s finds %s', (query, id) => {
    expect(findMethods(ALL, query).map((method) => method.id)).toContain(id);
  });

  it('finds all without a word, and nothing for a word of none', () => {
    expect(findMethods(ALL, ' - ')).toEqual(ALL);
    expect(findMethods(ALL, 'streaming zebra')).toEqual([]);
  });
});
