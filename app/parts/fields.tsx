'use client';

import { useEffect, useId, useState } from 'react';
import styles from './fields.module.css';

/** Tries a value; gives the sentence that says why it cannot be, or undefined when it was taken. */
export type TrySet<T> = (value: T) => string | undefined;

interface FieldProps<T> {
  readonly label: string;
  readonly value: T;
  readonly onSet: TrySet<T>;
}

interface NumberFieldProps extends FieldProps<number | undefined> {
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
  readonly step: number | 'any';
  /** A slider beside the box, for values that are played with. */
  readonly hasSlider?: boolean;
}

/** A number with its bounds. What is no number, or out of bounds, is told and never applied. */
export function NumberField({
  label,
  value,
  minimum,
  maximum,
  step,
  hasSlider,
  onSet,
}: NumberFieldProps) {
  const id = useId();
  const [text, setText] = useState(String(value ?? ''));
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    setText(String(value ?? ''));
    setProblem(undefined);
  }, [value]);
  const change = (next: string) => {
    setText(next);
    const parsed = next.trim() === '' ? Number.NaN : Number(next);
    setProblem(Number.isNaN(parsed) ? `invalid number: "${next}"` : onSet(parsed));
  };
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="text"
        inputMode="decimal"
        value={text}
        title={minimum === undefined ? undefined : `${minimum} to ${maximum}`}
        aria-invalid={problem !== undefined}
        aria-describedby={problem === undefined ? undefined : `${id}-problem`}
        onChange={(event) => change(event.target.value)}
        onKeyDown={(event) => {
          const by = event.key === 'ArrowUp' ? 1 : event.key === 'ArrowDown' ? -1 : 0;
          if (by === 0 || value === undefined) return;
          event.preventDefault();
          const stride =
            step === 'any' ? 10 ** Math.floor(Math.log10(Math.abs(value) || 1) - 0.5) : step;
          change(String(Number((value + by * stride).toPrecision(9))));
        }}
      />
      {hasSlider === true &&
        value !== undefined &&
        minimum !== undefined &&
        maximum !== undefined && (
          <input
            type="range"
            aria-label={`${label}, slider`}
            min={Math.log10(Math.max(minimum, 1e-3))}
            max={Math.log10(maximum)}
            step="0.01"
            value={Math.log10(value)}
            onChange={(event) =>
              change(String(Number((10 ** Number(event.target.value)).toPrecision(2))))
            }
          />
        )}
      {problem !== undefined && (
        <p className={styles.problem} id={`${id}-problem`} role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}

interface SelectFieldProps extends FieldProps<string> {
  readonly options: readonly string[];
}

export function SelectField({ label, value, options, onSet }: SelectFieldProps) {
  const id = useId();
  const [problem, setProblem] = useState<string>();
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => setProblem(onSet(event.target.value))}>
        {options.map((option) => (
          <option key={option}>{option}</option>
        ))}
      </select>
      {problem !== undefined && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}

export function TextField({ label, value, onSet }: FieldProps<string>) {
  const id = useId();
  const [text, setText] = useState(value);
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    setText(value);
    setProblem(undefined);
  }, [value]);
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="text"
        value={text}
        aria-invalid={problem !== undefined}
        onChange={(event) => {
          setText(event.target.value);
          setProblem(onSet(event.target.value));
        }}
      />
      {problem !== undefined && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}

export function CheckField({ label, value, onSet }: FieldProps<boolean>) {
  const id = useId();
  return (
    <div className={styles.check}>
      <input
        id={id}
        type="checkbox"
        checked={value}
        onChange={(event) => onSet(event.target.checked)}
      />
      <label htmlFor={id}>{label}</label>
    </div>
  );
}
