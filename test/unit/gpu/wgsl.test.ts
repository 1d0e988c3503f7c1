import { expect, test } from 'vitest';
import { resolveWgsl } from '../../../lib/gpu/wgsl';

const files = {
  'a.wgsl': [
    'const N: u32 = 2;',
    '// #include "b.wgsl"',
    '// #include "b.wgsl"',
    '// #for i N',
    'let x$i = $iu;',
    '// #for j 2',
    'y$i_$j();',
    '// #end',
    '// #end',
  ].join('\n'),
  'b.wgsl': 'fn b() {}',
  'open.wgsl': '// #for i 2\nlet x = 1;',
};

test('includes once, repeats blocks and keeps origins', () => {
  const { code, origins } = resolveWgsl(files, 'a.wgsl');
  const lines = code.split('\n');
  expect(lines).toEqual([
    'const N: u32 = 2;',
    'fn b() {}',
    'let x0 = 0u;',
    'y0_0();',
    'y0_1();',
    'let x1 = 1u;',
    'y1_0();',
    'y1_1();',
  ]);
  expect(origins).toHaveLength(lines.length);
  expect(origins[1]).toEqual({ file: 'b.wgsl', line: 1 });
  expect(origins[7]).toEqual({ file: 'a.wgsl', line: 7 });
});

test('constants replace declared ones only', () => {
  expect(resolveWgsl(files, 'a.wgsl', { N: 1 }).code).toContain('const N: u32 = 1;');
  expect(resolveWgsl(files, 'a.wgsl', { N: 1 }).code).not.toContain('x1');
  expect(() => resolveWgsl(files, 'a.wgsl', { M: 1 })).toThrow('unknown constant: M');
  expect(() => resolveWgsl(files, 'none.wgsl')).toThrow('unknown shader file: none.wgsl');
  expect(() => resolveWgsl(files, 'open.wgsl')).toThrow('#for without #end at open.wgsl:1');
});

test('the number after an index names things and bounds inner loops', () => {
  const triangle = {
    't.wgsl': [
      '// #for g 3',
      '// #for j $g',
      'x$j_$g+1 = x$j_$g;',
      '// #end',
      'y$g+1();',
      '// #end',
    ].join('\n'),
  };
  expect(resolveWgsl(triangle, 't.wgsl').code.split('\n')).toEqual([
    'y1();',
    'x0_2 = x0_1;',
    'y2();',
    'x0_3 = x0_2;',
    'x1_3 = x1_2;',
    'y3();',
  ]);
});

test('a file takes the place of an included one, its directives on top', () => {
  const withStored = {
    ...files,
    'c.wgsl': 'enable f16;\n// #include "a.wgsl"\nfn c() {}',
    'd.wgsl': 'const N: u32 = 1;\n// #include "b.wgsl"\nb();',
  };
  const { code, origins } = resolveWgsl(withStored, 'd.wgsl', {}, {}, { 'b.wgsl': 'c.wgsl' });
  const lines = code.split('\n');
  expect(lines[0]).toBe('enable f16;');
  expect(origins[0]).toEqual({ file: 'c.wgsl', line: 1 });
  expect(lines[1]).toBe('const N: u32 = 1;');
  expect(lines).toContain('fn c() {}');
  expect(code).not.toContain('fn b()');
  expect(lines.at(-1)).toBe('b();');
});
