import { describe, expect, it } from 'vitest';
import { makeProgram } from '../../../lib/attention/program';
import { attentionParams } from '../../../lib/spec/kinds/attention';
import { previewMask } from '../../../lib/views/mask/preview';
import { maskCellText, maskTable } from '../../../lib/views/mask/reading';

const params = attentionParams.parse({
  shape: { queries: 301, keys: 301, queryHeads: 2, kvHeads: 1, headSize: 4 },
});

describe('a mask before it runs', () => {
  const preview = previewMask(makeProgram(params), params.shape, 0);
  const { rows, columns, queriesPerCell } = preview;

  it('is read cell by cell, to the last position and no further', () => {
    expect(maskCellText(preview, params.shape, 0, columns - 1)).toMatch(
      /^query 0 to 3, key 300: nothing seen$/,
    );
    expect(maskCellText(preview, params.shape, rows - 1, 0)).toBe(
      'query 300, key 0 to 3: all seen',
    );
    expect(maskCellText(preview, params.shape, 2, 2)).toMatch(
      /^query 8 to 11, key 8 to 11: about \d+(\.\d+)? % seen$/,
    );
  });

  it('is a table whose mean is that of the picture', () => {
    const table = maskTable(preview, 8);
    expect(table.firstQueries).toHaveLength(8);
    expect(table.firstQueries[1]).toBe(Math.floor(rows / 8) * queriesPerCell);
    expect(table.shares[0]?.[7]).toBe(0);
    expect(table.shares[7]?.[0]).toBe(1);
    // As many rows as there are: the picture itself.
    const whole = maskTable(preview, rows).shares.flat();
    expect(whole.reduce((sum, share) => sum + share, 0)).toBeCloseTo(
      preview.shares.reduce((sum, share) => sum + share, 0),
      6,
    );
  });
});
