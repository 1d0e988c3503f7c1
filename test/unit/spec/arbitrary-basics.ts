import fc from 'fast-check';

export const int = (min: number, max: number) => fc.integer({ min, max });

/** Strings that Markdown might read as something of its own. */
export const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc
    .array(
      fc.constantFrom(
        '# a',
        '',
        ' ',
        '```cell serve #x',
        '````cell',
        '```',
        '---',
        '<!-- text #a -->',
        '\\<!-- text #b -->',
        '\\\\```cell a #b',
        'x\r',
        '&#13;',
        'title: y',
        '{"a":1}',
      ),
      { maxLength: 8 },
    )
    .map((lines) => lines.join('\n')),
);
