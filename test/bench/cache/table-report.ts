import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** One entry of the table: a policy on a task at a budget under a protocol. */
export interface TableRow {
  /** A policy's id, with ` (fitted gates)` where its gates were not its own. */
  readonly policy: string;
  readonly task: string;
  /** Share of the full cache that was asked for; undefined where the policy's form sets the bytes. */
  readonly share?: number;
  readonly protocol: 'known' | 'hidden';
  readonly right: number;
  readonly total: number;
  /** Right answers of all, with Wilson's interval at the effective number of answers. */
  readonly accuracy: number;
  readonly low: number;
  readonly high: number;
  /** Bytes held, host memory too, against the full cache in f16. */
  readonly byteRatio: number;
  readonly slotRatio: number;
}

/** What all rows have in common: a report of other settings is not gone on with. */
export interface TableSettings {
  readonly contextTokens: number;
  readonly samples: number;
  readonly seed: number;
  readonly engine: string;
}

export interface TableReport {
  readonly settings: TableSettings;
  readonly rows: readonly TableRow[];
}

export const rowKey = ({
  policy,
  task,
  share,
  protocol,
}: Pick<TableRow, 'policy' | 'task' | 'share' | 'protocol'>): string =>
  JSON.stringify([policy, task, share ?? 'own', protocol]);

/**
 * The report that a run goes on with, or an empty one.
 *
 * @throws Error for a file that is no report, or one of other settings
 */
export function readReport(path: string, settings: TableSettings): TableReport {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return { settings, rows: [] };
  }
  let report: TableReport;
  try {
    report = JSON.parse(text);
  } catch {
    throw new Error(`${path}: expected a report as JSON`);
  }
  if (JSON.stringify(report.settings) !== JSON.stringify(settings)) {
    throw new Error(
      `${path}: made with ${JSON.stringify(report.settings)} (expected ${JSON.stringify(settings)})`,
    );
  }
  return report;
}

/** Writes beside and renames, so that a run that is stopped leaves a whole report. */
export function writeReport(path: string, report: TableReport): void {
  writeFileSync(`${path}.part`, `${JSON.stringify(report, null, 1)}\n`);
  renameSync(`${path}.part`, path);
}
