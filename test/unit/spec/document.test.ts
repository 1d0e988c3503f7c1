import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, canonicalParams } from '../../../lib/spec/canonical';
import { ancestors, descendants, findCycle, topologicalOrder } from '../../../lib/spec/graph';
import { formatIssue } from '../../../lib/spec/issues';
import { parseFile, parseMarkdown, printMarkdown } from '../../../lib/spec/markdown';
import { notebookJsonSchema } from '../../../lib/spec/ranges';
import { assertCompleteChain } from '../../../lib/spec/upgrade';
import { parseNotebook } from '../../../lib/spec/validate';
import { notebooks } from './arbitrary';

function messages(value: unknown): readonly string[] {
  const parsed = parseNotebook(value);
  return parsed.ok ? [] : parsed.issues.map(formatIssue);
}

describe('round trips', () => {
  it('parses what it prints, as a file', () => {
    fc.assert(
      fc.property(notebooks, (notebook) => {
        const parsed = parseMarkdown(printMarkdown(notebook));
        expect(parsed).toMatchObject({ ok: true });
        if (parsed.ok) expect(parsed.notebook).toEqual(notebook);
      }),
      { numRuns: 300 },
    );
  });

  it('parses its canonical JSON, which is a fixed point', () => {
    fc.assert(
      fc.property(notebooks, (notebook) => {
        const json = canonicalJson(notebook);
        const parsed = parseNotebook(JSON.parse(json));
        expect(parsed).toEqual({ ok: true, notebook });
        if (parsed.ok) expect(canonicalJson(parsed.notebook)).toBe(json);
      }),
    );
  });

  it('omits defaults and keeps what differs from them', () => {
    const parsed = parseNotebook({
      cells: [
        { id: 'a', kind: 'attention', params: { seed: 1, variant: { type: 'causal' } } },
        { id: 'w', kind: 'workload' },
        {
          id: 's',
          kind: 'serve',
          inputs: ['w'],
          params: { strategy: { type: 'sarathi', tokenBudget: 512, maxSequences: 9 } },
        },
      ],
    });
    expect(parsed.ok && canonicalJson(parsed.notebook)).toBe(
      '{"version":1,"cells":[{"id":"a","kind":"attention"},{"id":"w","kind":"workload"},{"id":"s","kind":"serve","inputs":["w"],"params":{"strategy":{"type":"sarathi","maxSequences":9}}}]}',
    );
  });

  it('hashes equal params alike, whatever their key order', () => {
    expect(canonicalParams({ params: { b: { y: 1, x: [2] }, a: 1 } as never })).toBe(
      '{"a":1,"b":{"x":[2],"y":1}}',
    );
  });
});

describe('validation', () => {
  it('gives every error at once, each with its path and value', () => {
    expect(
      messages({
        title: 7,
        cells: [
          { id: 'Load', kind: 'workload', params: { source: { type: 'generator', requests: 0 } } },
          {
            id: 's',
            kind: 'serve',
            inputs: ['nobody'],
            params: { strategy: { type: 'sarathi', tokenBudget: 0 } },
          },
          {
            id: 'x',
            kind: 'serve',
            inputs: [],
            params: { strategy: { type: 'magic' }, colour: 'red' },
          },
          { id: 't', kind: 'timeline', inputs: ['u', 'u'] },
          { id: 'u', kind: 'attention', params: { shape: { headSize: 66, kvHeads: 3 } } },
          { id: 'v', kind: 'graph' },
        ],
      }),
    ).toEqual([
      'invalid title: 7 (expected a string) at title',
      'invalid id: "Load" (expected a lower-case letter, then up to 31 of a-z, 0-9 and -) at cells[0].id',
      'invalid requests: 0 (expected 1..2000000) at cells[0].params.source.requests',
      'invalid tokenBudget: 0 (expected 1..8192) at cells[1].params.strategy.tokenBudget',
      'invalid type: "magic" (expected "vllm", "vllm-v1", "sarathi", "distserve", "composed") at cells[2].params.strategy.type',
      'unknown field "colour" at cells[2].params.colour',
      'invalid headSize: 66 (expected a multiple of 4) at cells[4].params.shape.headSize',
      'invalid kvHeads: 3 (expected a divisor of queryHeads) at cells[4].params.shape.kvHeads',
      'invalid kind: "graph" (expected "text", "attention", "compose", "recurrent", "decode", "model", "cache", "recall-gap", "speculate", "workload", "serve", "sweep", "check", "plan", "map", "timeline", "plot", "compare", "table") at cells[5].kind',
      'duplicate input: "u" at cells[3].inputs[1]',
    ]);
  });

  it('checks the graph: duplicates at every holder, kinds, counts, cycles with their path', () => {
    const serve = (id: string, ...inputs: string[]) => ({ id, kind: 'serve', inputs });
    expect(
      messages({
        cells: [
          { id: 'w', kind: 'workload' },
          { id: 'w', kind: 'workload' },
        ],
      }),
    ).toEqual([
      'duplicate id: "w" (also at cells[1]) at cells[0].id',
      'duplicate id: "w" (also at cells[0]) at cells[1].id',
    ]);
    expect(
      messages({ cells: [{ id: 'a', kind: 'attention' }, serve('s', 'a'), serve('t', 'gone')] }),
    ).toEqual([
      'invalid input: "a" is of kind attention (expected workload) at cells[1].inputs[0]',
      'unknown input: "gone" (no cell has this id) at cells[2].inputs[0]',
    ]);
    expect(messages({ cells: [serve('s', 't'), serve('t', 's')] })).toContain(
      'cyclic inputs: s <- t <- s at cells[0].inputs',
    );
    expect(
      messages({
        cells: [
          { id: 'a', kind: 'attention' },
          { id: 'm', kind: 'map', inputs: ['a'], params: { head: 8 } },
        ],
      }),
    ).toEqual(['invalid head: 8 (expected 0..7 of "a") at cells[1].params.head']);
  });

  it('checks a map against the cache cell that it is over', () => {
    const document = (params: object, inputs = ['c']) => ({
      cells: [
        { id: 'c', kind: 'cache', params: { entries: [{ type: 'preset', id: 'full' }] } },
        { id: 'd', kind: 'cache' },
        { id: 'm', kind: 'map', inputs, params },
      ],
    });
    expect(messages(document({ layer: 3, head: 7 }))).toEqual([]);
    expect(messages(document({ policy: 1 }))).toEqual([
      'invalid policy: 1 (expected 0..0 of "c") at cells[2].params.policy',
    ]);
    expect(messages(document({}, ['d', 'c']))[0]).toBe(
      'invalid inputs: "d" is of kind cache (expected it alone: no difference is shown of caches) at cells[2].inputs',
    );
  });

  it('refuses hostile and newer documents with a sentence', () => {
    expect(messages(JSON.parse('{"cells":[{"__proto__":{"x":1}}]}'))).toEqual([
      'forbidden field "__proto__" at cells[0].__proto__',
    ]);
    expect(messages({ constructor: 1 })).toEqual(['forbidden field "constructor" at constructor']);
    let deep: unknown = 1;
    for (let i = 0; i < 50; i++) deep = [deep];
    expect(messages(deep)[0]).toMatch(/^nested deeper than 12 levels at /);
    expect(messages({ version: 9 })[0]).toBe(
      'this notebook is of version 9, and this page reads up to version 1: reload the page for a newer one at version',
    );
    expect(messages({ version: 'x' })[0]).toBe('invalid version: "x" (expected 1..1) at version');
    expect(
      messages({
        cells: Array.from({ length: 201 }, (_, i) => ({ id: `c${i}`, kind: 'text' })),
      })[0],
    ).toBe('invalid cells: 201 items (expected at most 200 items) at cells');
    for (const value of [undefined, null, 3, 'x', [], { cells: 3 }])
      expect(messages(value).length).toBeGreaterThan(0);
  });

  it('demands a complete chain of upgraders', () => {
    expect(() => assertCompleteChain({ 1: 0, 2: 0 }, 3)).not.toThrow();
    expect(() => assertCompleteChain({ 1: 0 }, 3)).toThrow(/expected 1, 2/);
    expect(() => assertCompleteChain({ 1: 0, 2: 0, 3: 0 }, 3)).toThrow();
  });
});

describe('files', () => {
  it('names the line of what is wrong', () => {
    const file =
      '---\nversion: 1\ntitle: "T"\n---\n\nProse.\n\n```cell workload #w\n{}\n```\n\n```cell serve #s <- w\n{ "strategy": { "type": "sarathi", "tokenBudget": 0 } }\n```\n';
    expect(parseFile(file)).toEqual({
      ok: false,
      issues: [
        {
          line: 12,
          message:
            'invalid tokenBudget: 0 (expected 1..8192) at cells[2].params.strategy.tokenBudget',
        },
      ],
    });
    const broken = parseFile('```cell serve #s\n{\n  "a": }\n```\n');
    expect(broken).toMatchObject({ ok: false, issues: [{ line: 3 }] });
    expect(parseFile('```cell serve #s\n{}\n')).toMatchObject({
      issues: [{ line: 1, message: 'cell "s" has no closing ```' }],
    });
    expect(parseFile('')).toEqual({
      ok: false,
      issues: [{ line: 1, message: 'the file is empty' }],
    });
    expect(parseFile('{"cells": 3}')).toMatchObject({ ok: false, issues: [{ line: 1 }] });
    expect(parseFile('---\ncolour: red\n---\n')).toMatchObject({ issues: [{ line: 2 }] });
  });

  it('reads prose by hand without markers, and JSON', () => {
    const parsed = parseFile(
      '# Hello\r\n\r\nWorld\r\n\r\n```cell attention #a\r\n```\r\n\r\nBye\r\n',
    );
    expect(parsed.ok && parsed.notebook.cells.map((cell) => [cell.id, cell.kind])).toEqual([
      ['text-1', 'text'],
      ['a', 'attention'],
      ['text-2', 'text'],
    ]);
    expect(parsed.ok && parsed.notebook.cells[0]?.params).toEqual({ markdown: '# Hello\n\nWorld' });
    expect(parseFile(' {"title":"J"}')).toMatchObject({ ok: true, notebook: { title: 'J' } });
  });
});

describe('issues', () => {
  it('complains once about a broken cell, not again about the cells that use it', () => {
    const parsed = parseFile(
      '```cell serve #s\n{ "model": "gpt-0" }\n```\n\n```cell timeline #t <- s\n```\n',
    );
    expect(parsed.ok ? [] : parsed.issues.map(({ message }) => message)).toEqual([
      expect.stringContaining('invalid model: "gpt-0"'),
    ]);
    const unknown = parseFile('```cell timeline #t <- s\n```\n');
    expect(unknown).toMatchObject({
      issues: [{ message: expect.stringContaining('unknown input: "s"') }],
    });
  });
});

describe('graph', () => {
  const cells = [
    { id: 'view', inputs: ['b', 'a'] },
    { id: 'b', inputs: ['a'] },
    { id: 'a', inputs: [] },
    { id: 'other', inputs: [] },
  ];
  it('orders inputs before users and finds relatives', () => {
    expect(topologicalOrder(cells).map((cell) => cell.id)).toEqual(['a', 'b', 'view', 'other']);
    expect([...ancestors(cells, 'view')].sort()).toEqual(['a', 'b']);
    expect([...descendants(cells, 'a')].sort()).toEqual(['b', 'view']);
    expect(findCycle(cells)).toBeUndefined();
    expect(findCycle([{ id: 'x', inputs: ['x'] }])).toEqual(['x', 'x']);
  });
});

describe('published JSON Schema', () => {
  it('is the one that the schema generates (npm run schema)', () => {
    const published: unknown = JSON.parse(readFileSync('public/schema/notebook-1.json', 'utf8'));
    expect(published).toMatchObject(JSON.parse(JSON.stringify(notebookJsonSchema())));
  });
});
