import { describe, expect, it } from 'vitest';
import { METHODS } from '../../../lib/methods/methods';
import { poissonLoad } from '../../../lib/serving/checks/capacity';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { serveParams } from '../../../lib/spec/kinds/serve';

const served = METHODS.filter(({ part }) => part !== 'serving: cost of a model and an iteration')
  .map(({ id, cells }) => ({ id, cell: cells.find(({ kind }) => kind === 'serve') }))
  .flatMap(({ id, cell }) => (cell === undefined ? [] : [[id, cell.params] as const]));

describe('methods that are strategies', () => {
  it('are at least a dozen', () => {
    expect(served.length).toBeGreaterThanOrEqual(12);
  });

  it.each(served)('%s serves every request of a small load', (_, params) => {
    const load = poissonLoad(1, 40, 5, (normal) => [
      Math.round(600 * Math.exp(0.5 * normal())),
      20 + Math.round(10 * Math.abs(normal())),
    ]);
    const serve = serveParams.parse(params);
    const { metrics } = simulate(serve, load, makeCostModel(serve));
    expect(metrics).toMatchObject({ completed: 40, refused: 0, unfinished: 0 });
    expect(metrics.ttftSeconds.p50).toBeGreaterThan(0);
  });
});
