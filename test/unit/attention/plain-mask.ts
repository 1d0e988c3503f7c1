import { createRandom } from '../../../lib/random/random';
import type { AttentionParams } from '../../../lib/spec/kinds/attention';

/** The ready-made masks written out by hand, without formulas: what the formulas are tested against. */
export function plainMask({
  variant,
  shape,
  seed,
}: AttentionParams): (batch: number, query: number, key: number) => boolean {
  const first = shape.keys - shape.queries;
  switch (variant.type) {
    case 'dense':
      return () => true;
    case 'causal':
      return (_, q, k) => k <= first + q;
    case 'sliding-window':
      return (_, q, k) => k <= first + q && first + q - k < variant.windowTokens;
    case 'window-sinks':
      return (_, q, k) =>
        k <= first + q && (first + q - k < variant.windowTokens || k < variant.sinkTokens);
    case 'documents': {
      const documents = Array.from({ length: shape.batch }, (_, b) => {
        const random = createRandom(seed).fork(`documents ${b}`);
        let document = 0;
        return Array.from({ length: shape.keys }, () => {
          const mine = document;
          if (random.uniform() < 1 / variant.meanDocumentTokens) document++;
          return mine;
        });
      });
      return (b, q, k) => {
        const position = first + q;
        if (position < 0) return false;
        return documents[b]?.[k] === documents[b]?.[position] && (!variant.causal || k <= position);
      };
    }
    case 'formula':
      throw new Error('a formula has no plain form');
  }
}
