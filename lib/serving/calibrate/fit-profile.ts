import type { ServeParams } from '../../spec/kinds/serve';
import { type HardwareProfile, serveProfile } from '../../spec/kinds/serve-profile';
import type { OpTableFiles } from '../cost/op-tables/files';
import { fitLog } from './fit-log';
import { fitOperators } from './fit-operators';
import { readRequestLog } from './read-log';
import { type PartResiduals, type ResidualRow, summarizeResiduals } from './residuals';
import type { Dropped, OperatorSamples } from './samples';
import { type SiliconChoices, type SiliconTexts, samplesFromSilicon } from './samples-from-silicon';
import { samplesFromTables, type TableChoices } from './samples-from-tables';

/** What a profile is fitted to. */
export type CalibrationInput =
  | { readonly type: 'tables'; readonly files: OpTableFiles; readonly choices: TableChoices }
  | { readonly type: 'silicon'; readonly texts: SiliconTexts; readonly choices: SiliconChoices }
  | {
      readonly type: 'log';
      readonly path: string;
      readonly text: string;
      /** The engine that wrote the log; its cost model does not matter. */
      readonly engine: ServeParams;
      /** What the log is of, in words. */
      readonly label: string;
    };

/** Every measured row as columns; microseconds. */
export interface ResidualColumns {
  /** Names of the parts that `part` counts in. */
  readonly names: readonly string[];
  readonly part: Uint8Array;
  readonly measured: Float64Array;
  readonly predicted: Float64Array;
  /** 1 where the fit did not see the row. */
  readonly heldOut: Uint8Array;
}

/** A fitted profile, and how well it says what was measured. */
export interface CalibrationResult {
  readonly profile: HardwareProfile;
  /** Errors of every part, and of all rows together at the end; none for a profile read from a file. */
  readonly parts: readonly PartResiduals[];
  readonly residuals: ResidualColumns;
  readonly dropped: readonly Dropped[];
  readonly notes: readonly string[];
}

/** Six significant digits: more than any timer has, and short in a link. */
export function roundCosts<T>(value: T): T {
  if (typeof value === 'number')
    return (Number.isInteger(value) ? value : Number(value.toPrecision(6))) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, roundCosts(each)]),
  ) as T;
}

function finish(
  profile: HardwareProfile,
  residuals: readonly ResidualRow[],
  dropped: readonly Dropped[],
  notes: readonly string[],
): CalibrationResult {
  const groups = new Map<string, ResidualRow[]>();
  for (const row of residuals) {
    const group = groups.get(row.part) ?? [];
    groups.set(row.part, group);
    group.push(row);
  }
  const all = summarizeResiduals('all', residuals);
  return {
    profile: serveProfile.parse(
      roundCosts({ ...profile, medianErrorPct: all.medianPct, p90ErrorPct: all.p90Pct }),
    ),
    parts: [...Array.from(groups, ([part, rows]) => summarizeResiduals(part, rows)), all],
    residuals: columnsOf([...groups.keys()], residuals),
    dropped,
    notes,
  };
}

function columnsOf(names: readonly string[], rows: readonly ResidualRow[]): ResidualColumns {
  return {
    names,
    part: Uint8Array.from(rows, ({ part }) => names.indexOf(part)),
    measured: Float64Array.from(rows, ({ measured }) => measured),
    predicted: Float64Array.from(rows, ({ predicted }) => predicted),
    heldOut: Uint8Array.from(rows, ({ isHeldOut }) => (isHeldOut ? 1 : 0)),
  };
}

/** A profile that was fitted before: its coefficients, and no rows. */
export function fittedBefore(profile: HardwareProfile): CalibrationResult {
  return { profile, parts: [], residuals: columnsOf([], []), dropped: [], notes: [] };
}

function fitSamples(samples: OperatorSamples): CalibrationResult {
  const { profile, residuals, notes } = fitOperators(samples);
  return finish(profile, residuals, samples.dropped, [...samples.notes, ...notes]);
}

/**
 * Fits a profile: to operator tables in either layout, or to a log of requests.
 *
 * @yields the share that is done; a log takes seconds, tables well under one
 * @throws Error with one sentence that names file, column, line or value
 */
export function* fitProfile(input: CalibrationInput): Generator<number, CalibrationResult> {
  switch (input.type) {
    case 'tables':
      return fitSamples(samplesFromTables(input.files, input.choices));
    case 'silicon':
      return fitSamples(samplesFromSilicon(input.texts, input.choices));
    case 'log': {
      const log = readRequestLog(input.path, input.text);
      const source = `log of requests ${input.path}, ${log.arrivalSeconds.length} of them`;
      const fit = yield* fitLog(log, input.engine, {
        label: input.label.slice(0, 200),
        source: source.slice(0, 300),
      });
      return finish(fit.profile, fit.residuals, log.dropped, [
        `${fit.simulations} simulations of the log`,
        ...fit.notes,
      ]);
    }
  }
}

/** Runs a fit to its end. */
export function fitProfileNow(input: CalibrationInput): CalibrationResult {
  const fit = fitProfile(input);
  for (;;) {
    const next = fit.next();
    if (next.done === true) return next.value;
  }
}
