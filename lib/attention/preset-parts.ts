import type { FormulaNumber, FormulaTable } from '../spec/kinds/attention';

/** A named formula to start from. Its numbers are ours, sized for the page, unless the note says otherwise. */
export interface FormulaPreset {
  readonly id: string;
  readonly title: string;
  readonly group: 'masks' | 'scores' | 'images and video' | 'speech' | 'training and trees';
  readonly mask: string;
  readonly score: string;
  readonly numbers: readonly FormulaNumber[];
  readonly tables: readonly FormulaTable[];
  /** One sentence: what it does, and where it comes from. */
  readonly note: string;
}

export const whole = (name: string, value: number, max: number, min = 0): FormulaNumber => ({
  name,
  value,
  min,
  max,
  step: 1,
});
export const real = (name: string, value: number, min: number, max: number): FormulaNumber => ({
  name,
  value,
  min,
  max,
  step: 0.01,
});
export const segments = (name: string, meanTokens: number): FormulaTable => ({
  name,
  source: 'segments',
  meanTokens,
});

type Parts = Partial<Pick<FormulaPreset, 'mask' | 'score' | 'numbers' | 'tables'>>;

export const preset = (
  id: string,
  title: string,
  group: FormulaPreset['group'],
  note: string,
  parts: Parts,
): FormulaPreset => ({
  id,
  title,
  group,
  mask: '',
  score: '',
  numbers: [],
  tables: [],
  ...parts,
  note,
});
