/** A whole number within bounds. */
export interface IntegerOption {
  readonly type: 'integer';
  /** What it is, in a few words. */
  readonly meaning: string;
  readonly least: number;
  readonly most: number;
  readonly default: number;
}

/** A share from 0 to 1; drawn by the task where it has no default and is not given. */
export interface ShareOption {
  readonly type: 'share';
  readonly meaning: string;
  readonly default: number | undefined;
}

export interface ChoiceOption<C extends string = string> {
  readonly type: 'choice';
  readonly meaning: string;
  readonly choices: readonly C[];
  readonly default: C;
}

export type TaskOption = IntegerOption | ShareOption | ChoiceOption;
export type TaskOptions = Readonly<Record<string, TaskOption>>;

/** The values that a set of options stands for. */
export type ValuesOf<S extends TaskOptions> = {
  readonly [K in keyof S]: S[K] extends ChoiceOption<infer C>
    ? C
    : S[K] extends IntegerOption
      ? number
      : number | undefined;
};

export function integer(
  meaning: string,
  value: number,
  least: number,
  most: number,
): IntegerOption {
  return { type: 'integer', meaning, default: value, least, most };
}

export function share(meaning: string, value?: number): ShareOption {
  return { type: 'share', meaning, default: value };
}

export function choice<const C extends string>(
  meaning: string,
  choices: readonly C[],
  value: NoInfer<C>,
): ChoiceOption<C> {
  return { type: 'choice', meaning, choices, default: value };
}

/** What an option accepts, as a message shows it. */
export function expectedOf(option: TaskOption): string {
  if (option.type === 'choice') return option.choices.join(', ');
  return option.type === 'share' ? '0..1' : `${option.least}..${option.most}`;
}

function isWithin(option: TaskOption, value: unknown): boolean {
  if (option.type === 'choice') return (option.choices as readonly unknown[]).includes(value);
  if (typeof value !== 'number') return false;
  if (option.type === 'share') return value >= 0 && value <= 1;
  return Number.isInteger(value) && value >= option.least && value <= option.most;
}

/**
 * The given values with defaults for the rest.
 *
 * @throws RangeError naming an unknown option, or one out of bounds with its value
 */
export function readOptions<S extends TaskOptions>(
  options: S,
  given: Readonly<Record<string, unknown>>,
): ValuesOf<S> {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(options, name)) {
      const known = Object.keys(options).join(', ') || 'none';
      throw new RangeError(`unknown option: ${name} (expected ${known})`);
    }
  }
  const values = Object.entries(options).map(([name, option]) => {
    const value = given[name] ?? option.default;
    if (value !== undefined && !isWithin(option, value)) {
      throw new RangeError(`invalid ${name}: ${value} (expected ${expectedOf(option)})`);
    }
    return [name, value] as const;
  });
  return Object.fromEntries(values) as ValuesOf<S>;
}
