import type { CsvLayout } from './csv';

/** What the header of a CSV file of requests seems to mean. */
export interface GuessedColumns
  extends Pick<CsvLayout, 'arrival' | 'prompt' | 'output' | 'unit' | 'isUnitGuessed'> {
  /** Columns that could be meant as well; a reader should know. */
  readonly others: readonly string[];
}

const UNITS: Readonly<Record<string, CsvLayout['unit']>> = {
  s: 'seconds',
  sec: 'seconds',
  secs: 'seconds',
  second: 'seconds',
  seconds: 'seconds',
  ms: 'milliseconds',
  msec: 'milliseconds',
  millis: 'milliseconds',
  millisecond: 'milliseconds',
  milliseconds: 'milliseconds',
  us: 'microseconds',
  usec: 'microseconds',
  microsecond: 'microseconds',
  microseconds: 'microseconds',
};
const ROLES = {
  arrival: ['arrival', 'arrived', 'arrive', 'timestamp', 'ts', 'datetime', 'time', 'start', 'sent'],
  prompt: ['prompt', 'input', 'context', 'prefill', 'query'],
  output: ['output', 'completion', 'generated', 'generation', 'decode', 'response', 'answer'],
} as const;
/** Words that a count of tokens may have beside its role; any other word makes it something else. */
const COUNT_WORDS = new Set(
  'tokens token toks tok count counts len length lengths size sizes num number n of request'.split(
    ' ',
  ),
);
const TIME_WORDS = new Set('time at timestamp stamp request start of the date created'.split(' '));

const wordsOf = (name: string): readonly string[] =>
  name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');

type Role = keyof typeof ROLES;

/** How well a name fits a role: 0 not at all; times of anything but the arrival do not. */
function scoreOf(name: string, role: Role): number {
  const words = wordsOf(name).filter((word) => UNITS[word] === undefined);
  const own: readonly string[] = ROLES[role];
  const at = words.findIndex((word) => own.includes(word));
  if (at < 0) return 0;
  const known = role === 'arrival' ? TIME_WORDS : COUNT_WORDS;
  if (!words.every((word) => own.includes(word) || known.has(word))) return 0;
  if (role === 'arrival') return own.length - own.indexOf(words[at] as string);
  return words.some((word) => word.startsWith('tok')) ? 2 : 1;
}

/**
 * Arrival, prompt and output by the words of their names, in any order and style: `Input Length`,
 * `completion_tokens`, `arrival time (ms)`. A unit is read where the name has one; else the first row
 * tells timestamps from numbers, which are taken for seconds.
 *
 * @returns undefined where one of the three is not there
 */
export function guessColumns(names: readonly string[]): GuessedColumns | undefined {
  const others: string[] = [];
  const best = (role: Role): string | undefined => {
    const fits = names
      .map((name) => ({ name, score: scoreOf(name, role) }))
      .filter(({ score }) => score > 0)
      .sort((a, b) => b.score - a.score);
    others.push(...fits.slice(1).map(({ name }) => name));
    return fits[0]?.name;
  };
  const [arrival, prompt, output] = [best('arrival'), best('prompt'), best('output')];
  if (arrival === undefined || prompt === undefined || output === undefined) return undefined;
  const unit = wordsOf(arrival).flatMap((word) => UNITS[word] ?? [])[0];
  return {
    arrival,
    prompt,
    output,
    unit: unit ?? 'seconds',
    isUnitGuessed: unit === undefined,
    others,
  };
}
