import { describe, expect, it } from 'vitest';
import { parseFileBytes } from '../../../lib/spec/file-text';

const bytesOf = (text: string): number[] => [...new TextEncoder().encode(text)];

describe('the bytes of a notebook file', () => {
  it('open as text where they are text, whatever its letters', () => {
    const parsed = parseFileBytes('a.md', Uint8Array.from(bytesOf('# Überlegung \ufffd 注意\n')));
    expect(parsed.ok).toBe(true);
  });

  it('are refused with the line of the first that is none', () => {
    const damaged = Uint8Array.from([...bytesOf('one\ntwo\n'), 0xff, ...bytesOf('\nthree')]);
    expect(parseFileBytes('a.md', damaged)).toEqual({
      ok: false,
      issues: [{ line: 3, message: 'a.md is not text in UTF-8' }],
    });
    const cut = Uint8Array.from(bytesOf('one\nü').slice(0, -1));
    expect(parseFileBytes('a.md', cut)).toMatchObject({ ok: false, issues: [{ line: 2 }] });
  });
});
