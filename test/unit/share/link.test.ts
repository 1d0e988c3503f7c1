import { readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lengthBand } from '../../../lib/share/length-band';
import { decodeLink, encodeLink, MAX_LINK_CHARACTERS } from '../../../lib/share/link';
import { notebookSchema } from '../../../lib/spec/notebook';
import { notebooks } from '../spec/arbitrary';

const linkOf = (text: string | Buffer) => `#1.${deflateSync(text).toString('base64url')}`;
const sample = notebookSchema.parse({
  title: 'A sample with some prose',
  cells: [
    { id: 'intro', kind: 'text', params: { markdown: 'Why **split**? '.repeat(9) } },
    { id: 'load', kind: 'workload', params: { seed: 12 } },
    {
      id: 'serve',
      kind: 'serve',
      inputs: ['load'],
      params: { strategy: { type: 'sarathi', tokenBudget: 777 } },
    },
  ],
});

describe('links', () => {
  it('reopen as the same notebook', async () => {
    await fc.assert(
      fc.asyncProperty(notebooks, async (notebook) => {
        expect(await decodeLink(await encodeLink(notebook))).toMatchObject({
          kind: 'ok',
          notebook,
        });
      }),
    );
  });

  it('never accept a change of one character as another document', async () => {
    const link = await encodeLink(sample);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    for (let i = 3; i < link.length; i++) {
      const other = alphabet.charAt((alphabet.indexOf(link.charAt(i)) + 7 + i) % 64);
      const decoded = await decodeLink(link.slice(0, i) + other + link.slice(i + 1));
      // The last character has bits that no byte uses: the same document may come back.
      if (decoded.kind === 'ok') expect(decoded.notebook).toEqual(sample);
      else expect(['damaged', 'invalid']).toContain(decoded.kind);
    }
  });

  it('say how many characters of a truncated link arrived', async () => {
    const link = await encodeLink(sample);
    for (let length = 4; length < link.length - 1; length += 3) {
      const decoded = await decodeLink(link.slice(0, length));
      expect(decoded).toMatchObject({ kind: 'damaged', characters: length - 1 });
    }
    expect(await decodeLink(link.slice(0, 42))).toMatchObject({
      message:
        'this link is truncated or damaged: 41 characters arrived, and the checksum does not agree',
    });
  });

  it('survive the white space of mail programs and carry view parameters apart', async () => {
    const link = await encodeLink(sample);
    const wrapped = `${link.slice(0, 50)}\r\n ${link.slice(50)}&mode=present&step=2`;
    const decoded = await decodeLink(wrapped);
    expect(decoded).toMatchObject({ kind: 'ok', notebook: sample });
    expect(decoded.kind === 'ok' && [...decoded.view]).toEqual([
      ['mode', 'present'],
      ['step', '2'],
    ]);
  });

  it('explain newer, empty, foreign and oversized links', async () => {
    expect(await decodeLink('')).toEqual({ kind: 'empty' });
    expect(await decodeLink('#')).toEqual({ kind: 'empty' });
    expect(await decodeLink('#2.abc')).toMatchObject({ kind: 'newer-codec', codec: '2' });
    expect(await decodeLink(linkOf('{"version":3}'))).toMatchObject({
      kind: 'newer-version',
      version: 3,
    });
    expect(await decodeLink('#1.****')).toMatchObject({ kind: 'damaged' });
    expect(await decodeLink('#section-3')).toMatchObject({ kind: 'damaged' });
    expect(await decodeLink(`#1.${'A'.repeat(MAX_LINK_CHARACTERS)}`)).toMatchObject({
      kind: 'too-large',
    });
  });

  it('refuse bombs, depth, prototypes and text that is no document', async () => {
    expect(await decodeLink(linkOf(Buffer.alloc(40 * 2 ** 20, 32)))).toMatchObject({
      kind: 'too-large',
    });
    expect(await decodeLink(linkOf('['.repeat(100_000)))).toMatchObject({ kind: 'too-large' });
    expect(await decodeLink(linkOf(`{"title":"${'['.repeat(50)}"}`))).toMatchObject({ kind: 'ok' });
    for (const hostile of [
      '{"cells":[{"__proto__":{"id":"a"}}]}',
      '{"constructor":{"prototype":{}}}',
    ]) {
      expect(await decodeLink(linkOf(hostile))).toMatchObject({ kind: 'invalid' });
    }
    expect(({} as Record<string, unknown>).id).toBeUndefined();
    expect(await decodeLink(linkOf('not json'))).toMatchObject({ kind: 'damaged' });
    expect(await decodeLink(linkOf(Buffer.from([0xff, 0xfe, 0x00])))).toMatchObject({
      kind: 'damaged',
    });
    const many = JSON.stringify({
      cells: Array.from({ length: 201 }, (_, i) => ({ id: `c${i}`, kind: 'text' })),
    });
    expect(await decodeLink(linkOf(many))).toMatchObject({ kind: 'invalid' });
  });
});

describe('golden links', () => {
  // One link per released version; they must open for ever.
  it.each([1])('version %i', async (version) => {
    const link = readFileSync(`test/links/v${version}.txt`, 'utf8');
    const expected: unknown = JSON.parse(readFileSync(`test/links/v${version}.json`, 'utf8'));
    expect(await decodeLink(link)).toMatchObject({ kind: 'ok', notebook: expected });
  });
});

describe('length bands', () => {
  it('change at 2,000 and 4,000 characters', () => {
    expect([2000, 2001, 4000, 4001].map((n) => lengthBand(n).id)).toEqual([
      'everywhere',
      'not-email',
      'not-email',
      'file',
    ]);
  });
});
