'use client';

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
  // Lists have editors of their own.
  if (schema.const !== undefined || schema.type === 'array') return null;
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
