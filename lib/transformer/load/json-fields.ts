/** An object of a JSON file, read field by field. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A value as it stands in a sentence. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** @throws Error where the value is no JSON object */
export function asObject(value: unknown, where: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`invalid ${where}: ${show(value)} (expected a JSON object)`);
  }
  return value as JsonObject;
}

/** A field, or undefined where it is absent or null: the library that writes these files means the same by both. */
export function field(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? (object[name] ?? undefined) : undefined;
}

interface NumberRule {
  /** Name in the sentence, where it is not the field's. */
  readonly as?: string;
  readonly least?: number;
  readonly most?: number;
  /** Numbers between integers are fine too. */
  readonly real?: boolean;
  /** Taken where the field is absent; without it the field must be there. */
  readonly orElse?: number;
}

/** @throws Error naming the field, the value and what was expected */
export function numberField(object: JsonObject, name: string, rule: NumberRule = {}): number {
  const { as = name, least = 1, most = Number.MAX_SAFE_INTEGER, real = false, orElse } = rule;
  const value = field(object, name) ?? orElse;
  const isNumber = typeof value === 'number' && Number.isFinite(value);
  if (isNumber && (real || Number.isInteger(value)) && value >= least && value <= most) {
    return value;
  }
  const upTo = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `${least}..${most}`;
  throw new Error(
    `invalid ${as}: ${show(value)} (expected ${real ? 'a number' : 'an integer'} ${upTo})`,
  );
}

/** A number above 0, or undefined where absent. @throws Error naming the field and the value */
export function positiveField(object: JsonObject, name: string, as = name): number | undefined {
  const value = field(object, name);
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  throw new Error(`invalid ${as}: ${show(value)} (expected a number above 0)`);
}

/** @throws Error naming the field and the value */
export function booleanField(object: JsonObject, name: string, orElse: boolean): boolean {
  const value = field(object, name) ?? orElse;
  if (typeof value === 'boolean') return value;
  throw new Error(`invalid ${name}: ${show(value)} (expected true or false)`);
}
