'use client';

import { type FormEvent, useId, useRef, useState } from 'react';
import { modelAddress } from '../../lib/transformer/load/model-address';
import styles from './load-model.module.css';

interface Props {
  readonly isDisabled: boolean;
  /** Called with an address that was typed, shown in full and confirmed. */
  readonly onAddress: (base: string) => void;
}

/** The address of a model's folder: typed, then shown as it will be asked, then confirmed. */
export function ModelAddress({ isDisabled, onAddress }: Props) {
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string>();
  const [base, setBase] = useState<string>();
  const ask = (event: FormEvent) => {
    event.preventDefault();
    try {
      setBase(modelAddress(text));
      setProblem(undefined);
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  const close = () => {
    setBase(undefined);
    field.current?.focus();
  };
  return (
    <form className={styles.address} onSubmit={ask}>
      <label htmlFor={id}>Or an address</label>
      <div className={styles.row}>
        <input
          id={id}
          ref={field}
          type="text"
          inputMode="url"
          autoComplete="off"
          spellCheck={false}
          value={text}
          disabled={isDisabled}
          placeholder="https://huggingface.co/OWNER/NAME"
          aria-invalid={problem !== undefined}
          aria-describedby={problem === undefined ? undefined : `${id}-problem`}
          onChange={({ target }) => {
            setText(target.value);
            setBase(undefined);
            setProblem(undefined);
          }}
        />
        <button type="submit" disabled={isDisabled || text.trim() === '' || base !== undefined}>
          Ask
        </button>
      </div>
      {problem !== undefined && (
        <p className={styles.problem} id={`${id}-problem`} role="alert">
          {problem}
        </p>
      )}
      {base !== undefined && !isDisabled && (
        // biome-ignore lint/a11y/useSemanticElements: a fieldset has no border here and a legend no words
        <div className={styles.confirm} role="group" aria-label="Confirm the address">
          <p>
            This page will read <code>{base}</code>: the configuration, the tokenizer and the
            headers of the weights. The server sees your request, nothing else.
          </p>
          <div className={styles.row}>
            <button
              type="button"
              data-primary=""
              // biome-ignore lint/a11y/noAutofocus: the question has just been asked for
              autoFocus
              onClick={() => {
                setBase(undefined);
                onAddress(base);
              }}
            >
              Read from {new URL(base).host}
            </button>
            <button type="button" onClick={close}>
              Not now
            </button>
          </div>
        </div>
      )}
    </form>
  );
}
