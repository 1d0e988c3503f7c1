import type { AttentionVariant, FormulaNumber, FormulaVariant } from '../spec/kinds/attention';
import { MAX_TOKENS } from '../spec/kinds/attention';

const formula = (parts: Partial<FormulaVariant>): FormulaVariant => ({
  type: 'formula',
  mask: [],
  score: [],
  numbers: [],
  tables: [],
  ...parts,
});

const tokens = (name: string, value: number): FormulaNumber => ({
  name,
  value,
  min: 0,
  max: MAX_TOKENS,
  step: 1,
});

/** The ready-made variants as formulas: everything behind the document knows formulas only. */
export function formulaOf(variant: AttentionVariant): FormulaVariant {
  switch (variant.type) {
    case 'formula':
      return variant;
    case 'dense':
      return formula({});
    case 'causal':
      return formula({ mask: ['k', 'q', '<='] });
    case 'sliding-window':
      return formula({
        mask: ['k', 'q', '<=', 'q', 'k', '-', 'window', '<', 'and'],
        numbers: [tokens('window', variant.windowTokens)],
      });
    case 'window-sinks':
      return formula({
        mask: ['k', 'q', '<=', 'q', 'k', '-', 'window', '<', 'k', 'sinks', '<', 'or', 'and'],
        numbers: [tokens('window', variant.windowTokens), tokens('sinks', variant.sinkTokens)],
      });
    case 'documents':
      return formula({
        mask: [
          ...['q', 'document', 'k', 'document', '=='],
          // A query before the first key belongs to no document.
          ...(variant.causal ? ['k', 'q', '<=', 'and'] : ['q', 0, '>=', 'and']),
        ],
        tables: [{ name: 'document', source: 'segments', meanTokens: variant.meanDocumentTokens }],
      });
  }
}
