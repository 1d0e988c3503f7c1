import type { z } from 'zod';
import { whyNot } from './why-not';

/** One thing wrong with a document: where, what, and the value that is wrong. */
export interface SpecIssue {
  /** Such as `cells[3].params.strategy.tokenBudget`; empty for the document itself. */
  readonly path: string;
  /** Such as `invalid tokenBudget: 0 (expected 1..8192)`. */
  readonly message: string;
  readonly value: unknown;
}

/** `invalid tokenBudget: 0 (expected 1..8192) at cells[3].params.strategy.tokenBudget` */
export function formatIssue({ message, path }: SpecIssue): string {
  return path === '' ? message : `${message} at ${path}`;
}

export function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, i) =>
      typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${String(part)}`,
    )
    .join('');
}

/** A value as it stands in a sentence: JSON, cut where it is long; of a long list, how long. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  let text: string;
  if (typeof value === 'number') text = String(value);
  else {
    try {
      text = JSON.stringify(value) ?? typeof value;
    } catch {
      text = typeof value;
    }
  }
  if (text.length <= 60) return text;
  if (Array.isArray(value) && typeof value[0] === 'object') return `${value.length} items`;
  return `${text.slice(0, 57)}...`;
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part))
      return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}

function expectation(issue: z.core.$ZodIssue, known: string | undefined): string {
  switch (issue.code) {
    case 'too_small':
      return known ?? `at least ${issue.minimum}${sizeUnit(issue.origin)}`;
    case 'too_big':
      return known ?? `at most ${issue.maximum}${sizeUnit(issue.origin)}`;
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    case 'invalid_type':
      return withArticle(issue.expected === 'int' ? 'integer' : issue.expected);
    case 'invalid_value':
      return issue.values.map((value) => JSON.stringify(value)).join(', ');
    case 'invalid_format':
      return issue.message.replace(/^expected /, '');
    case 'invalid_union':
      return known ?? 'one of the known types';
    default:
      return issue.message.replace(/^expected /, '');
  }
}

function sizeUnit(origin: string): string {
  return origin === 'string' ? ' characters' : origin === 'array' ? ' items' : '';
}

function withArticle(name: string): string {
  return /^[aeiou]/.test(name) ? `an ${name}` : `a ${name}`;
}

/** The last name of a path; of a part that does not go with others also whose `type` or `of` it is. */
function nameOf({ code, path }: z.core.$ZodIssue): string {
  const names = path.filter((part) => typeof part === 'string');
  const last = names.at(-1) ?? 'document';
  const isBare = code === 'custom' && (last === 'type' || last === 'of') && names.length > 1;
  return isBare ? `${names.at(-2)}.${last}` : last;
}

/**
 * A zod issue as ours. `expectedAt` tells what the schema wants at a path, such as both bounds of a
 * number, or the types of a union.
 */
export function toSpecIssues(
  issue: z.core.$ZodIssue,
  root: unknown,
  expectedAt: (path: readonly PropertyKey[]) => string | undefined,
): readonly SpecIssue[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: formatPath([...issue.path, key]),
      message: `unknown field ${JSON.stringify(key)}`,
      value: valueAt(root, [...issue.path, key]),
    }));
  }
  const path = issue.path;
  const value = valueAt(root, path);
  const name = nameOf(issue);
  const reason = issue.code === 'too_small' ? whyNot(name, value) : undefined;
  const expected = `${expectation(issue, expectedAt(path))}${reason === undefined ? '' : `: ${reason}`}`;
  return [
    {
      path: formatPath(path),
      message: `invalid ${name}: ${show(value)} (expected ${expected})`,
      value,
    },
  ];
}
