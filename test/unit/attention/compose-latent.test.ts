import { describe, expect, it, test } from 'vitest';
import { composeHere, SMALL } from './compose-run';

describe('latent attention through the kernels', () => {
  const latent = (change: object = {}) => ({
    ...SMALL,
    encoding: { type: 'rope' },
    parts: [{ name: 'causal' }],
    rule: { type: 'latent', modelSize: 24, rank: 12, ropeSize: 8 },
    ...change,
  });

  test.each([
    ['causal', {}],
    ['without positions', { encoding: { type: 'none' } }],
    ['in two batch entries', { shape: { ...SMALL.shape, batch: 2, queries: 20 } }],
    [
      'with a window, a temperature and a sink',
      {
        parts: [
          {
            name: 'window',
            variant: { type: 'sliding-window', windowTokens: 9 },
            temperature: 0.5,
          },
        ],
        sink: { type: 'off-by-one' },
      },
    ],
  ])('absorbed is expanded, and both are the definition: %s', async (_, change) => {
    const { result } = await composeHere(latent(change));
    expect(result.error).toMatchObject({ withinTolerance: true });
    expect(result.error.maxAbs).toBeLessThan(1e-5);
    expect(result.laws).toMatchObject([{ name: 'absorbed = expanded', holds: true }]);
    expect(result.laws[0]!.maxAbs).toBeGreaterThan(0);
  });

  it('tells what rank and masks do', async () => {
    const { result } = await composeHere(latent());
    expect(result.cacheBytes.map(({ bytesPerToken }) => bytesPerToken)).toEqual([
      2 * 4 * 16 * 2,
      2 * 2 * 16 * 2,
      2 * 16 * 2,
      (12 + 8) * 2,
    ]);
    expect(Math.max(...result.distances[0]!.perHead)).toBeLessThan(1e-5);
    const window = { name: 'w', variant: { type: 'sliding-window', windowTokens: 9 } };
    const narrow = await composeHere(latent({ parts: [window] }));
    expect(Math.min(...narrow.result.distances[0]!.perHead)).toBeGreaterThan(1e-2);
  });
});
