'use client';

import { useState } from 'react';
import { type JsonSchema, leastValue } from '../../lib/spec/ranges';
import { fieldLabel } from '../../lib/views/format';
import { CheckField, NumberField, SelectField, TextField } from './fields';
import styles from './schema-form.module.css';

interface SchemaFormProps {
  readonly schema: JsonSchema;
  readonly value: unknown;
  readonly path: readonly string[];
  /** Tries the value at the path; gives the sentence why not, or undefined. */
  readonly onSet: (path: readonly string[], value: unknown) => string | undefined;
  /** A field that is shown elsewhere. */
  readonly skip?: string;
}

/** Formulas and what they name, see the variant editor; policies, see the cache editor. */
const OWN_EDITORS = new Set(['mask', 'score', 'numbers', 'tables', 'entries']);

const SLIDERS = new Set(['ttftSeconds', 'tpotSeconds', 'ratePerSecond']);

/** The editor of one object of params, from its schema: the same schema that checks the document. */
export function SchemaForm({ schema, value, path, onSet, skip }: SchemaFormProps) {
  const object = (value ?? {}) as Record<string, unknown>;
  return (
    <div className={styles.form}>
      {Object.entries(schema.properties ?? {})
        .filter(([name]) => name !== skip)
        .map(([name, field]) => (
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

/** Values that a field of an option takes where they are few: its constant, or one of several. */
function namesOf(option: JsonSchema, field: string): readonly unknown[] {
  const { const: constant, enum: several = [] } = option.properties?.[field] ?? {};
  return constant === undefined ? several : [constant];
}

/** The field that tells the options of a union apart, such as `type`. */
function discriminatorOf(options: readonly JsonSchema[]): string {
  const names = Object.keys(options[0]?.properties ?? {});
  return names.find((name) => options.every((each) => namesOf(each, name).length > 0)) ?? 'type';
}

/** What a union that may be left out is called while it is. */
const ABSENT = 'none given';

function UnionField(props: SchemaFormProps & { readonly label: string }) {
  const { label, schema, value, path, onSet } = props;
  const options = schema.oneOf ?? schema.anyOf ?? [];
  const field = discriminatorOf(options);
  const isAbsent = value === undefined && schema.default === undefined;
  const type = isAbsent
    ? ABSENT
    : String((value as Record<string, unknown> | undefined)?.[field] ?? '');
  const optionOf = (name: string) =>
    options.find((option) => namesOf(option, field).some((each) => String(each) === name));
  const chosen = optionOf(type);
  const names = options.flatMap((option) => namesOf(option, field).map(String));
  return (
    <fieldset className={styles.group}>
      <legend>{label}</legend>
      <SelectField
        label={fieldLabel(field)}
        value={type}
        options={isAbsent ? [ABSENT, ...names] : names}
        onSet={(next) => {
          const option = optionOf(next);
          // Fields without a default would refuse the choice: they start at their least.
          const least = option === undefined ? {} : (leastValue(option) as object);
          return onSet(path, option === undefined ? undefined : { ...least, [field]: next });
        }}
      />
      {chosen !== undefined && (
        <SchemaForm schema={chosen} value={value} path={path} onSet={onSet} skip={field} />
      )}
    </fieldset>
  );
}

function Field({ name, schema, value, path, onSet }: SchemaFormProps & { readonly name: string }) {
  const label = fieldLabel(name);
  const set = (next: unknown) => onSet(path, next);
  const options = schema.oneOf ?? schema.anyOf;
  const constants = options?.flatMap((option) =>
    option.const === undefined ? [] : [option.const],
  );
  if (constants !== undefined && constants.length === options?.length) {
    return (
      <SelectField
        label={label}
        value={String(value)}
        options={constants.map(String)}
        onSet={(next) => set(constants.find((each) => String(each) === next))}
      />
    );
  }
  if (options !== undefined) {
    return <UnionField label={label} schema={schema} value={value} path={path} onSet={onSet} />;
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
        // What may be left out is then as its first value.
        value={String(value ?? schema.enum[0])}
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
