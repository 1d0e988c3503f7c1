import { printFormula } from '../formula/print-text';
import { formulaHazards } from './program';
import type { AttentionError, AttentionInputs } from './types';

/** Why an output is not the reference's, as far as its formulas tell; nothing where it is. */
export function mismatchNotes(
  { shape, program }: Pick<AttentionInputs, 'shape' | 'program'>,
  error: AttentionError,
): readonly string[] {
  if (error.withinTolerance) return [];
  const { batch, head, query } = error.at;
  const isNumber = Number.isFinite(error.maxAbs);
  const causes = (['mask', 'score'] as const).flatMap((part) => {
    const node = program[part];
    return node === undefined
      ? []
      : formulaHazards(part, node, program, shape).map(
          (hazard) => `the ${part} ${hazard.message}: ${printFormula(hazard.node)}`,
        );
  });
  return [
    isNumber
      ? `output differs from the f64 reference by ${error.maxAbs.toExponential(1)}`
      : `output is no number at batch ${batch}, head ${head}, query ${query}`,
    ...causes,
  ];
}
