'use client';

import { useId, useState } from 'react';
import type { Session } from '../../lib/run/session-types';
import type { ServeResult } from '../../lib/serving/types';
import {
  hasLink,
  NO_CHANGE,
  WHAT_IF_NAMES,
  type WhatIfName,
} from '../../lib/serving/what-if/factors';
import type { ServeParams } from '../../lib/spec/kinds/serve';
import { formatSeconds } from '../../lib/views/format';
import { whatIfRows } from '../../lib/views/what-if-rows';
import { useWhatIf } from './use-what-if';
import styles from './what-if.module.css';
import { QuantileChart, UtilisationChart } from './what-if-charts';

interface Props {
  readonly result: ServeResult;
  readonly params: ServeParams;
  readonly cellId: string;
  readonly session: Session;
}

const LABELS: Readonly<Record<WhatIfName, string>> = {
  rate: 'arrival rate',
  promptTokens: 'prompt length',
  kvBytesPerToken: 'KV bytes per token',
  linkBandwidth: 'link bandwidth',
};
/** Sliders are in powers of two, eighths of one a step. */
const STEPS_PER_OCTAVE = 8;
const OCTAVES = 3;

const factorText = (factor: number): string => `${Number(factor.toPrecision(3))}×`;

/** Sliders over a serve cell's conditions, and what it uses of each resource. Nothing of it is saved. */
export function WhatIf({ result, params, cellId, session }: Props) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details className={styles.box} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>What if, and what it uses</summary>
      {isOpen && <Sliders result={result} params={params} cellId={cellId} session={session} />}
    </details>
  );
}

function Sliders({ result, params, cellId, session }: Props) {
  const id = useId();
  const key = `${result.metrics.makespanSeconds} ${result.costModel.label} ${JSON.stringify(params)}`;
  const state = useWhatIf(session, cellId, key, true);
  const { factors, base, changed } = state;
  const isChanged = WHAT_IF_NAMES.some((name) => factors[name] !== 1);
  const set = (name: WhatIfName, step: number) =>
    state.set({ ...factors, [name]: 2 ** (step / STEPS_PER_OCTAVE) });
  const names = WHAT_IF_NAMES.filter((name) => name !== 'linkBandwidth' || hasLink(params));
  return (
    <>
      <div className={styles.sliders}>
        {names.map((name) => (
          <label key={name} htmlFor={`${id}-${name}`}>
            <span>
              {LABELS[name]} <strong>{factorText(factors[name])}</strong>
            </span>
            <input
              id={`${id}-${name}`}
              type="range"
              min={-OCTAVES * STEPS_PER_OCTAVE}
              max={OCTAVES * STEPS_PER_OCTAVE}
              step={1}
              value={Math.round(Math.log2(factors[name]) * STEPS_PER_OCTAVE)}
              aria-valuetext={`${factorText(factors[name])} what the cell has`}
              onChange={(event) => set(name, Number(event.target.value))}
            />
          </label>
        ))}
        <button type="button" disabled={!isChanged} onClick={() => state.set(NO_CHANGE)}>
          Back to the cell
        </button>
      </div>
      <p
        className={styles.note}
        role="status"
        data-testid="what-if-state"
        data-updates={state.updates}
      >
        {state.problem ??
          (changed === undefined
            ? 'running'
            : `${isChanged ? 'changed as the sliders say' : 'as the cell has it'}, simulated in ${formatSeconds(changed.wallSeconds)}`)}
      </p>
      {changed?.notes.map((note) => (
        <p key={note} className={styles.note}>
          {note}
        </p>
      ))}
      {base !== undefined && changed !== undefined && (
        <>
          <div className={styles.scroll}>
            <table aria-label="what if">
              <thead>
                <tr>
                  <th scope="col">simulated</th>
                  <th scope="col">as it is</th>
                  <th scope="col">what if</th>
                  <th scope="col">ratio</th>
                </tr>
              </thead>
              <tbody>
                {whatIfRows(base, changed, params.slo).map((row) => (
                  <tr key={row.name}>
                    <th scope="row">{row.name}</th>
                    <td>{row.first}</td>
                    <td>{row.second}</td>
                    <td>{Number.isNaN(row.ratio) ? '' : factorText(row.ratio)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <div className={styles.charts}>
            <QuantileChart
              name="time to first token"
              first={base.ttftQuantiles}
              second={changed.ttftQuantiles}
            />
            <UtilisationChart utilisation={changed.utilisation} />
          </div>
        </>
      )}
    </>
  );
}
