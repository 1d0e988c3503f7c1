import type { TransformerConfig } from '../../transformer/types';
import { breakEvenRows, factorisationSaving } from './break-even';
import { outliersPerEnd } from './codecs/outliers';
import { rankOf } from './layer-rows';
import type { Representation } from './representation';

/** Something about a form that cannot work on a model, or that will surprise. */
export interface FormFinding {
  readonly severity: 'error' | 'warning';
  /** Field of the form. */
  readonly field: string;
  readonly value: unknown;
  /** What was expected or will happen, without the field and its value. */
  readonly text: string;
}

type Shape = Pick<TransformerConfig, 'headSize' | 'kvHeads' | 'layers'>;

/**
 * The static checks of a form: groups that do not divide, groups that never fill up, factorisations
 * that do not pay at a length, outliers that round to none.
 *
 * @param slots that will be encoded, where it is known
 */
export function checkForm(form: Representation, config: Shape, slots?: number): FormFinding[] {
  const { headSize, kvHeads, layers } = config;
  const layerColumns = headSize * kvHeads;
  switch (form.type) {
    case 'kivi':
      return [
        ...checkGroup(form.groupChannels, layerColumns, `${layerColumns} channels of a layer`),
        ...checkFills(form.groupTokens, slots),
      ];
    case 'mikv':
      return checkGroup(form.groupChannels, headSize, `headSize ${headSize}`);
    case 'vidkv':
      return checkFills(form.groupTokens, slots);
    case 'gear': {
      const { outlierShare } = form;
      const none = outlierShare > 0 && outliersPerEnd(outlierShare, headSize) === 0;
      return [
        ...checkFills(form.groupTokens, slots),
        ...(none
          ? [
              finding(
                'warning',
                'outlierShare',
                outlierShare,
                `half of it of ${headSize} channels rounds to no value outlier`,
              ),
            ]
          : []),
      ];
    }
    case 'low-rank':
    case 'cross-layer': {
      const grouped = form.type === 'cross-layer' ? Math.min(form.layersPerGroup, layers) : 1;
      return (['keyShare', 'valueShare'] as const).flatMap((field) =>
        checkSaving(field, form[field], layerColumns * grouped, slots),
      );
    }
    case 'principal':
      return checkSaving('share', form.share, headSize, slots);
    case 'projection':
      return form.fit === 'prompt' ? checkSaving('share', form.share, layerColumns, slots) : [];
    default:
      return [];
  }
}

function finding(
  severity: FormFinding['severity'],
  field: string,
  value: unknown,
  text: string,
): FormFinding {
  return { severity, field, value, text };
}

function checkGroup(group: number, columns: number, of: string): FormFinding[] {
  if (columns % group === 0) return [];
  return [finding('error', 'groupChannels', group, `expected a divisor of ${of}`)];
}

function checkFills(group: number, slots: number | undefined): FormFinding[] {
  if (slots === undefined || group <= slots) return [];
  return [
    finding(
      'warning',
      'groupTokens',
      group,
      `no group fills up at ${slots} slots: they stay in f16`,
    ),
  ];
}

/** Of a factorisation that carries its basis; a share of 1 is none. */
function checkSaving(
  field: string,
  share: number,
  columns: number,
  slots: number | undefined,
): FormFinding[] {
  if (share >= 1 || slots === undefined) return [];
  const rank = rankOf(share, columns);
  if (factorisationSaving(slots, rank, columns) > 0) return [];
  const least = breakEvenRows(rank, columns);
  const pays = Number.isFinite(least) ? `pays from ${Math.floor(least) + 1}` : 'never pays';
  return [
    finding(
      'warning',
      field,
      share,
      `rank ${rank} of ${columns} channels saves nothing at ${slots} slots: it ${pays}`,
    ),
  ];
}
