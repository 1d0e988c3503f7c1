'use client';

import { useState } from 'react';
import type { JsonSchema } from '../../lib/spec/ranges';
import { fieldLabel } from '../../lib/views/format';
import { CheckField, NumberField, SelectField, TextField } from './fields';
import styles from './schema-form.module.css';

interface SchemaFormProps {
  readonly schema: JsonSchema;
  readonly value: unknown;
  readonly path: readonly string[];
  /** Tries the value at the path; gives the sentence why not, or undefined. */
  readonly onSet: (path: readonly string[], value: unknown) => string | undefined;
}

/** Formulas and what they name; see the variant editor. */
const OWN_EDITORS = new Set(['mask', 'score', 'numbers', 'tables']);

const SLIDERS = new Set(['ttftSeconds', 'tpotSeconds', 'ratePerSecond']);

/** The editor of one object of params, from its schema: the same schema that checks the document. */
export function SchemaForm({ schema, value, path, onSet }: SchemaFormProps) {
  const object = (value ?? {}) as Record<string, unknown>;
  return (
    <div className={styles.form}>
      {Object.entries(schema.properties ?? {}).map(([name, field]) => (
        <Field
          key={name}
          name={name}
          schema={field}
          value={object[name]}
          path={[...path, name]}
          onSet={onSet}
        />
      ))}
    </div>
  );
}

/** The field that tells the options of a union apart, such as `type`. */
function discriminatorOf(options: readonly JsonSchema[]): string {
  const names = Object.keys(options[0]?.properties ?? {});
  return (
    names.find((name) => options.every((each) => each.properties?.[name]?.const !== undefined)) ??
    'type'
  );
}

function Field({ name, schema, value, path, onSet }: SchemaFormProps & { readonly name: string }) {
  const label = fieldLabel(name);
  const set = (next: unknown) => onSet(path, next);
  const options = schema.oneOf ?? schema.anyOf;
  if (options !== undefined) {
    const name = discriminatorOf(options);
    const constantOf = (option: JsonSchema) => String(option.properties?.[name]?.const);
    const type = String((value as Record<string, unknown> | undefined)?.[name] ?? '');
    const chosen = options.find((option) => constantOf(option) === type);
    return (
      <fieldset className={styles.group}>
        <legend>{label}</legend>
        <SelectField
          label={fieldLabel(name)}
          value={type}
          options={options.map(constantOf)}
          onSet={(next) => set({ [name]: next })}
        />
        {chosen !== undefined && (
          <SchemaForm schema={chosen} value={value} path={path} onSet={onSet} />
        )}
      </fieldset>
    );
  }
  if (schema.const !== undefined || OWN_EDITORS.has(name)) return null;
  if (schema.type === 'array') {
    return <ListField name={name} schema={schema} value={value} path={path} onSet={onSet} />;
  }
  if (schema.properties !== undefined) {
    return value === undefined ? null : (
      <fieldset className={styles.group}>
        <legend>{label}</legend>
        <SchemaForm schema={schema} value={value} path={path} onSet={onSet} />
      </fieldset>
    );
  }
  if (schema.enum !== undefined) {
    return (
      <SelectField
        label={label}
        value={String(value)}
        options={schema.enum.map(String)}
        // Numbers stay numbers.
        onSet={(next) => set(schema.enum?.find((each) => String(each) === next))}
      />
    );
  }
  switch (schema.type) {
    case 'integer':
    case 'number':
      return (
        <NumberField
          label={label}
          value={typeof value === 'number' ? value : undefined}
          minimum={schema.minimum}
          maximum={schema.maximum}
          step={schema.type === 'integer' ? (schema.multipleOf ?? 1) : 'any'}
          hasSlider={SLIDERS.has(name)}
          onSet={set}
        />
      );
    case 'boolean':
      return <CheckField label={label} value={value === true} onSet={set} />;
    default:
      return <TextField label={label} value={String(value ?? '')} onSet={set} />;
  }
}

/** A list: its items, and buttons that add a copy of the last one or remove one, within the schema's bounds. */
function ListField({
  name,
  schema,
  value,
  path,
  onSet,
}: SchemaFormProps & { readonly name: string }) {
  const [problem, setProblem] = useState<string>();
  const items = Array.isArray(value) ? (value as readonly unknown[]) : [];
  const { items: item, minItems = 0, maxItems = Infinity } = schema;
  if (item === undefined) return null;
  const one = name.replace(/s$/, '');
  const set = (next: readonly unknown[]) => setProblem(onSet(path, next));
  return (
    <fieldset className={styles.group}>
      <legend>{fieldLabel(name)}</legend>
      {items.map((each, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: items have no identity but their place
        <div key={i} className={styles.item}>
          <Field
            name={`${one} ${i + 1}`}
            schema={item}
            value={each}
            path={[...path, String(i)]}
            onSet={onSet}
          />
          <button
            type="button"
            disabled={items.length <= minItems}
            aria-label={`remove ${fieldLabel(one)} ${i + 1}`}
            onClick={() => set(items.filter((_, j) => j !== i))}
          >
            Remove
          </button>
        </div>
      ))}
      <p className={styles.add}>
        <button
          type="button"
          disabled={items.length >= maxItems}
          onClick={() => set([...items, copyOf(items.at(-1), items)])}
        >
          Add a {fieldLabel(one)}
        </button>
      </p>
      {problem !== undefined && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
    </fieldset>
  );
}

/** A copy of an item; a name that it carries becomes one that no item has. */
function copyOf(item: unknown, items: readonly unknown[]): unknown {
  const nameOf = (each: unknown) => (each as { readonly name?: unknown } | undefined)?.name;
  const name = nameOf(item);
  if (typeof name !== 'string') return item;
  const stem = name.replace(/ \d+$/, '').slice(0, 20);
  const taken = new Set(items.map(nameOf));
  for (let i = 2; ; i++) {
    if (!taken.has(`${stem} ${i}`)) return { ...(item as object), name: `${stem} ${i}` };
  }
}
