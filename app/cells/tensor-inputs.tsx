'use client';

import { useState } from 'react';
import { fileShape, shapeDifference } from '../../lib/attention/file-shape';
import type { Session } from '../../lib/run/session-types';
import {
  type AttentionParams,
  type AttentionShape,
  type FileSource,
  TENSOR_LAYOUTS,
} from '../../lib/spec/kinds/attention';
import type { CellOf } from '../../lib/spec/notebook';
import type { TensorHeader } from '../../lib/tensors/header';
import { RECALL_SHAPE } from '../../lib/transformer/recall';
import type { EditActions } from '../state/use-notebook';
import { modelAttention } from './model-attention';
import styles from './tensor-inputs.module.css';
import type { TensorFileState } from './use-tensor-file';

const LAYERS = Array.from({ length: RECALL_SHAPE.layers }, (_, layer) => layer);

type ModelTensors = Extract<AttentionParams['inputs'], { source: 'model' }>;

interface Props {
  readonly cell: CellOf<'attention'>;
  readonly session: Session;
  readonly edit: EditActions;
  readonly file: TensorFileState;
}

/** Where Q, K and V come from: seeded, or tensors of a file, and whether those fit the cell. */
export function TensorInputs({ cell, session, edit, file }: Props) {
  const { params } = cell;
  const { inputs } = params;
  const [refused, setRefused] = useState<string>();
  const set = (change: Partial<AttentionParams>) =>
    setRefused(edit.params(cell.id, { ...params, ...change }));
  const bound = session.boundFile(cell.id);
  return (
    <fieldset className={styles.inputs}>
      <legend className="visually-hidden">Inputs of {cell.id}</legend>
      <label>
        Q, K, V{' '}
        <select
          value={inputs.source}
          onChange={({ target }) => {
            const inputs = sourceOf(target.value);
            set(inputs.source === 'model' ? modelAttention(inputs) : { inputs });
          }}
        >
          <option value="synthetic">synthetic</option>
          <option value="file">from a file</option>
          <option value="model">from the recall model</option>
        </select>
      </label>
      {inputs.source === 'model' && (
        <ModelSource source={inputs} onSet={(next) => set(modelAttention(next))} />
      )}
      {inputs.source === 'file' && (
        <>
          <label className={styles.file}>
            {bound?.name ?? missingName(inputs)}{' '}
            <input
              type="file"
              aria-label="safetensors file"
              accept=".safetensors"
              onChange={({ target }) => {
                const chosen = target.files?.[0];
                if (chosen !== undefined) void file.choose(chosen);
                // Choosing the same file again, changed meanwhile, is a choice too.
                target.value = '';
              }}
            />
          </label>
          {file.header !== undefined && (
            <Names header={file.header} source={inputs} onSet={(next) => set({ inputs: next })} />
          )}
        </>
      )}
      {file.header !== undefined && inputs.source === 'file' && (
        <Fit
          header={file.header}
          source={inputs}
          shape={params.shape}
          onShape={(shape) => set({ shape })}
        />
      )}
      {[file.problem, refused].map(
        (problem) =>
          problem !== undefined && (
            <p key={problem} className={styles.problem} role="alert">
              {problem}
            </p>
          ),
      )}
    </fieldset>
  );
}

function sourceOf(source: string): AttentionParams['inputs'] {
  if (source === 'model') return { source, layer: 2, text: 'facts', textTokens: 256 };
  return source === 'file'
    ? { source, fileName: '', query: 'q', key: 'k', value: 'v', layout: 'bhnd' }
    : { source: 'synthetic' };
}

interface ModelSourceProps {
  readonly source: ModelTensors;
  readonly onSet: (source: ModelTensors) => void;
}

/** Which layer of the model, and what it reads. */
function ModelSource({ source, onSet }: ModelSourceProps) {
  return (
    <>
      <label>
        layer{' '}
        <select
          value={source.layer}
          onChange={({ target }) => onSet({ ...source, layer: Number(target.value) })}
        >
          {LAYERS.map((layer) => (
            <option key={layer}>{layer}</option>
          ))}
        </select>
      </label>
      <label>
        text{' '}
        <select
          value={source.text}
          onChange={({ target }) =>
            onSet({ ...source, text: target.value as ModelTensors['text'] })
          }
        >
          {['facts', 'passkey', 'copy', 'filler'].map((text) => (
            <option key={text}>{text}</option>
          ))}
        </select>
      </label>
      <label>
        tokens{' '}
        <select
          value={source.textTokens}
          onChange={({ target }) => onSet({ ...source, textTokens: Number(target.value) })}
        >
          {[...new Set([128, 256, 512, source.textTokens])].map((tokens) => (
            <option key={tokens}>{tokens}</option>
          ))}
        </select>
      </label>
    </>
  );
}

function missingName({ fileName }: FileSource): string {
  return fileName === '' ? 'no file chosen' : `choose ${fileName}`;
}

interface NamesProps {
  readonly header: TensorHeader;
  readonly source: FileSource;
  readonly onSet: (source: FileSource) => void;
}

/** Which tensors of the file are meant, and the order of their axes. */
function Names({ header, source, onSet }: NamesProps) {
  const names = [...header.tensors.keys()];
  const pick = (part: 'query' | 'key' | 'value' | 'layout', options: readonly string[]) => (
    <label>
      {part}{' '}
      <select
        value={source[part]}
        onChange={({ target }) => onSet({ ...source, [part]: target.value })}
      >
        {(options.includes(source[part]) ? options : [source[part], ...options]).map((option) => (
          <option key={option}>{option}</option>
        ))}
      </select>
    </label>
  );
  return (
    <>
      {pick('query', names)}
      {pick('key', names)}
      {pick('value', names)}
      {pick('layout', TENSOR_LAYOUTS)}
    </>
  );
}

interface FitProps {
  readonly header: TensorHeader;
  readonly source: FileSource;
  readonly shape: AttentionShape;
  readonly onShape: (shape: AttentionShape) => void;
}

/** What keeps the file from being the cell's inputs, and what to do about it. */
function Fit({ header, source, shape, onShape }: FitProps) {
  let found: AttentionShape;
  try {
    found = fileShape(header, source);
  } catch (error) {
    return (
      <p className={styles.problem} role="alert">
        {(error as Error).message}
      </p>
    );
  }
  const difference = shapeDifference(found, shape);
  if (difference === undefined) return null;
  return (
    <div className={styles.problem} role="alert">
      {difference}{' '}
      <button type="button" onClick={() => onShape(found)}>
        Take the shape from the file
      </button>
    </div>
  );
}
