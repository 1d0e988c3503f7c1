import { describe, expect, it } from 'vitest';
import { pointedLines } from '../../../lib/formula/pointed-lines';
import { findTextProblem } from '../../../lib/formula/text-problems';

describe('the lines that show a mistake', () => {
  it('put the marks under the part, whatever the length', () => {
    const text = `${'q + '.repeat(60)}bogus${' + k'.repeat(60)}`;
    const start = text.indexOf('bogus');
    const [line, marks] = pointedLines(text, start, start + 5);
    expect(line.length).toBeLessThan(80);
    expect(line.slice(marks.indexOf('^'), marks.length)).toBe('bogus');
    expect(pointedLines('k <= q', 2, 4)).toEqual(['k <= q', '  ^^']);
  });

  it('point behind the last character where something is missing there', () => {
    expect(pointedLines('k <=', 4, 5)).toEqual(['k <=', '    ^']);
    const long = 'x'.repeat(10_000);
    const problem = findTextProblem(long);
    expect(problem?.message).toBe('too long: 10000 characters (expected at most 2000)');
    const [line, marks] = pointedLines(long, problem?.column ?? 0, 2001);
    expect(line).toMatch(/^…x+…$/);
    expect(marks.indexOf('^')).toBeLessThan(line.length);
  });
});
