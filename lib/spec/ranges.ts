import './zod-config';
import * as z from 'zod';
import { type CellKind, notebookSchema } from './notebook';

/** The part of a JSON Schema that messages and editors read. */
export interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly multipleOf?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly const?: unknown;
  readonly required?: readonly string[];
  readonly default?: unknown;
}

/** JSON Schema of the document, as published and as the source of bounds in messages and editors. */
export function notebookJsonSchema(): JsonSchema {
  return z.toJSONSchema(notebookSchema, { io: 'input', target: 'draft-2020-12' }) as JsonSchema;
}

let schema: JsonSchema | undefined;

/** Alternatives whose constants agree with the value, such as the strategy of the given type. */
function matching(options: readonly JsonSchema[], value: unknown): JsonSchema | undefined {
  return options.find((option) =>
    Object.entries(option.properties ?? {}).every(
      ([key, property]) =>
        property.const === undefined ||
        (typeof value === 'object' &&
          value !== null &&
          (value as Record<string, unknown>)[key] === property.const),
    ),
  );
}

function schemaAt(
  root: unknown,
  path: readonly PropertyKey[],
  keepUnion = false,
): JsonSchema | undefined {
  schema ??= notebookJsonSchema();
  let node: JsonSchema | undefined = schema;
  let value = root;
  const steps = [undefined, ...path];
  for (const [i, part] of steps.entries()) {
    if (part !== undefined) {
      node = typeof part === 'number' ? node?.items : node?.properties?.[String(part)];
      value =
        typeof value === 'object' && value !== null
          ? (value as Record<PropertyKey, unknown>)[part]
          : undefined;
    }
    const options: readonly JsonSchema[] | undefined = node?.oneOf ?? node?.anyOf;
    if (options !== undefined && !(keepUnion && i === steps.length - 1)) {
      node = matching(options, value);
    }
    if (node === undefined) return undefined;
  }
  return node;
}

/** Bounds of the number at `path` in a document shaped like `root`. */
export function numberRange(
  root: unknown,
  path: readonly PropertyKey[],
): { readonly minimum: number; readonly maximum: number; readonly isInteger: boolean } | undefined {
  const node = schemaAt(root, path);
  if (node?.minimum === undefined || node.maximum === undefined) return undefined;
  return { minimum: node.minimum, maximum: node.maximum, isInteger: node.type === 'integer' };
}

/** What the schema wants at `path`, in words: `1..8192`, or the types of a union. */
export function schemaExpectation(root: unknown, path: readonly PropertyKey[]): string | undefined {
  const range = numberRange(root, path);
  if (range !== undefined) return `${range.minimum}..${range.maximum}`;
  const discriminator = path.at(-1);
  const parent = schemaAt(root, path.slice(0, -1), true);
  const options = (parent?.oneOf ?? parent?.anyOf ?? []).flatMap((option) => {
    const value = option.properties?.[String(discriminator)]?.const;
    return value === undefined ? [] : [JSON.stringify(value)];
  });
  return options.length > 0 ? options.join(', ') : undefined;
}

/** Schema of a policy of the cache kind, part by part. */
export function cachePolicySchema(): JsonSchema {
  const entries = paramsSchema('cache').properties?.entries?.items;
  const composed = (entries?.oneOf ?? entries?.anyOf)?.find(
    ({ properties }) => properties?.policy !== undefined,
  );
  const policy = composed?.properties?.policy;
  if (policy === undefined) throw new Error('no schema for a composed policy');
  return policy;
}

/** The least value that a schema takes, given what is fixed: where there is no default. */
export function leastValue(schema: JsonSchema): unknown {
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  const options = schema.oneOf ?? schema.anyOf;
  if (options?.[0] !== undefined) return leastValue(options[0]);
  if (schema.properties !== undefined) {
    return Object.fromEntries(
      (schema.required ?? []).map((name) => [name, leastValue(schema.properties?.[name] ?? {})]),
    );
  }
  switch (schema.type) {
    case 'array':
      return Array.from({ length: schema.minItems ?? 0 }, () => leastValue(schema.items ?? {}));
    case 'integer':
      return Math.max(schema.minimum ?? 0, Math.min(schema.maximum ?? 16, 16));
    case 'number':
      return Math.max(schema.minimum ?? 0, Math.min(schema.maximum ?? 0.5, 0.5));
    case 'boolean':
      return false;
    default:
      return '';
  }
}

/** Schema of the params of one kind of cell. */
export function paramsSchema(kind: CellKind): JsonSchema {
  schema ??= notebookJsonSchema();
  const cells = schema.properties?.cells?.items;
  const cell = (cells?.oneOf ?? cells?.anyOf)?.find(
    (option) => option.properties?.kind?.const === kind,
  );
  const params = cell?.properties?.params;
  if (params === undefined) throw new Error(`no schema for cells of kind ${kind}`);
  return params;
}
