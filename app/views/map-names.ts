import { isProbability, type MapOperand } from './map-operand';

/** What a map is called, on the page and in its exports. */
export interface MapNames {
  /** Of a difference: its operands. */
  readonly names: readonly [string, string] | undefined;
  readonly subject: string;
  readonly fileName: string;
  readonly valueName: 'probability' | 'weight';
  /** Where results and tensors come from. */
  readonly origin: string;
}

export function mapNames(
  first: MapOperand,
  second: MapOperand | undefined,
  head: number,
): MapNames {
  const which = first.heads > 1 ? `head ${head}` : 'all rows';
  const maps = first.subject === second?.subject && !first.isSigned ? first.subject : 'Map';
  const operands = [first, ...(second === undefined ? [] : [second])];
  const labels = new Set(operands.map(({ provenanceLabel }) => provenanceLabel));
  return {
    names: second === undefined ? undefined : [first.id, second.id],
    subject:
      second === undefined
        ? `${first.subject}, ${which}`
        : `Difference of ${maps.toLowerCase()}s, ${first.id} minus ${second.id}, ${which}`,
    fileName: `${first.subject.toLowerCase().replaceAll(' ', '-')}-head-${head}`,
    valueName: isProbability(first, second) ? 'probability' : 'weight',
    origin: [
      ...new Set([...labels].flatMap((label) => label.split(' · ')).concat(first.origin)),
    ].join(' · '),
  };
}
