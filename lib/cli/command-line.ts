import { type ParseArgsConfig, parseArgs } from 'node:util';

/** What a command does with what follows its name. @returns the exit code */
export type Command = (args: readonly string[]) => Promise<number>;

/**
 * A command that reads its whole command line before it does anything. `--help` prints the usage.
 * Standard error says what goes wrong: in the command line, above the usage or with the way to a long
 * one, with exit code 2; else with exit code 1.
 *
 * @param read the options of a command line. @throws Error with one sentence
 * @param run the command. @throws Error with what to print
 */
export function command<Options>(
  usage: string,
  read: (args: readonly string[]) => Options,
  run: (options: Options) => Promise<number>,
): Command {
  return async (args) => {
    if (args.includes('--help') || args.includes('-h')) {
      console.log(usage);
      return 0;
    }
    let options: Options;
    try {
      options = read(args);
    } catch (error) {
      const { message } = error as Error;
      console.error(args.length === 0 ? `${message}\n\n${usage}` : `${message}${wayTo(usage)}`);
      return 2;
    }
    try {
      return await run(options);
    } catch (error) {
      console.error((error as Error).message);
      return 1;
    }
  };
}

/** Under thirty lines of options a sentence is not seen. */
const MOST_USAGE_LINES = 12;

function wayTo(usage: string): string {
  const [name] = /^usage: (headroom(?: [a-z]+)+)/.exec(usage)?.slice(1) ?? [];
  if (name === undefined || usage.split('\n').length <= MOST_USAGE_LINES) return `\n\n${usage}`;
  return `\n(${name} --help lists the options)`;
}

/**
 * Flags and positional arguments of a command line.
 *
 * @throws Error for an unknown flag, a missing value, and a flag given twice of which one would be lost
 */
export function readArguments<const Flags extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: Flags,
) {
  const parsed = parseArgs({ args: [...args], options, allowPositionals: true, tokens: true });
  const seen = new Set<string>();
  for (const token of parsed.tokens) {
    if (token.kind !== 'option' || options[token.name]?.multiple === true) continue;
    if (seen.has(token.name)) throw new Error(`--${token.name} given twice`);
    seen.add(token.name);
  }
  return { values: parsed.values, positionals: parsed.positionals };
}

/** @throws Error naming the first argument of those after `most` */
export function atMost(positionals: readonly string[], most: number): void {
  const stray = positionals[most];
  if (stray !== undefined) throw new Error(`unexpected argument: ${JSON.stringify(stray)}`);
}

/** The one positional argument. @throws Error where there is none, or more */
export function onlyArgument(positionals: readonly string[], name: string): string {
  const [argument] = positionals;
  if (argument === undefined) throw new Error(`missing ${name}`);
  atMost(positionals, 1);
  return argument;
}

/** A whole number of a flag. @throws Error with flag, value and bounds */
export function wholeNumber(
  flag: string,
  text: string,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= least && value <= most)
    return value;
  const expected =
    most === Number.MAX_SAFE_INTEGER ? `an integer from ${least}` : `${least}..${most}`;
  throw new Error(`invalid ${flag}: ${text} (expected ${expected})`);
}

/** A count of a flag that may be left out. @throws Error with flag, value and bounds */
export function countOf(flag: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : wholeNumber(flag, text, 1);
}
