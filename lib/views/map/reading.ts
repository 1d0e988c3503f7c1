import { blockStateAt } from '../../attention/block-states';
import type { BlockList } from '../../attention/types';
import type { MapElement } from './draw';
import { type MapProfiles, profileAt } from './profiles';

/** What is known of one element: NaN is masked. */
export interface MapReading extends MapElement {
  readonly first: number;
  /** Of a difference. */
  readonly second: number | undefined;
}

const inWords = (p: number) => (Number.isNaN(p) ? 'masked' : p.toPrecision(4));

/** A difference in words: nobody should have to read "-0.1 more". */
const signedWords = (difference: number) =>
  `${inWords(Math.abs(difference))} ${difference < 0 ? 'less' : 'more'}`;

/** One element in words; `names` are those of a difference's operands, `list` the blocks on show, `stateOf` what is said of an element in place of its block. */
export function readingText(
  { query, key, first, second }: MapReading,
  names: readonly [string, string],
  profiles: MapProfiles | undefined,
  list?: BlockList,
  labelOf: LabelOf = { query: () => '', key: () => '' },
  stateOf?: (query: number, key: number) => string,
): string {
  const [ofQuery, ofKey] = [labelOf.query(query), labelOf.key(key)].map((text) =>
    text === '' ? '' : ` (${text})`,
  );
  const state = stateOf === undefined ? blockText(query, key, list) : `, ${stateOf(query, key)}`;
  return `query ${query}${ofQuery}, key ${key}${ofKey}: ${valueText(first, second, names)}${state}${profileText(query, key, profiles, second !== undefined)}`;
}

/** What is known of a query and of a key besides their numbers; empty for nothing. */
export interface LabelOf {
  readonly query: (query: number) => string;
  readonly key: (key: number) => string;
}

const STATE_TEXT = ['skipped', 'partial', 'full'] as const;

function blockText(query: number, key: number, list: BlockList | undefined): string {
  return list === undefined ? '' : `, in a ${STATE_TEXT[blockStateAt(list, query, key)]} block`;
}

function valueText(
  first: number,
  second: number | undefined,
  names: readonly [string, string],
): string {
  if (second === undefined) return inWords(first);
  if (Number.isNaN(first) && Number.isNaN(second)) return 'masked in both';
  const difference = (Number.isNaN(first) ? 0 : first) - (Number.isNaN(second) ? 0 : second);
  return `${inWords(first)} in ${names[0]}, ${inWords(second)} in ${names[1]}, difference ${inWords(difference)}`;
}

function profileText(
  query: number,
  key: number,
  profiles: MapProfiles | undefined,
  isDifference: boolean,
): string {
  if (profiles === undefined) return '';
  const received = profileAt(profiles.keys, key);
  const largest = profileAt(profiles.queries, query);
  if (received === undefined || largest === undefined) return '';
  const words = isDifference ? signedWords : inWords;
  const ofQuery = Number.isNaN(largest)
    ? `query ${query} sees no key`
    : `query ${query}'s largest is ${words(largest)}`;
  return `; in view, key ${key} receives ${words(received)} on average, and ${ofQuery}`;
}
