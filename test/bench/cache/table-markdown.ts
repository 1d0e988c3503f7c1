import { rowKey, type TableReport, type TableRow } from './table-report';

const percent = (share: number) => String(Math.round(100 * share));

/** `87 (70-95)`: percent right, and the interval. */
function cellText(row: TableRow | undefined): string {
  if (row === undefined) return '';
  return `${percent(row.accuracy)} (${percent(row.low)}-${percent(row.high)})`;
}

/**
 * The report as markdown, one table per protocol and budget: policies down, tasks across, each
 * percent right with its interval of 95 %. Policies whose form sets the bytes stand at every budget,
 * with the bytes that they take. Sorted by the mean over tasks.
 */
export function tableMarkdown({ settings, rows }: TableReport): string {
  const byKey = new Map(rows.map((row) => [rowKey(row), row]));
  const distinct = <K>(of: (row: TableRow) => K) => [...new Set(rows.map(of))];
  const tasks = distinct(({ task }) => task);
  const policies = distinct(({ policy }) => policy);
  const shares = distinct(({ share }) => share).filter((share) => share !== undefined);
  const lines: string[] = [];
  for (const protocol of distinct((row) => row.protocol)) {
    for (const share of shares) {
      const found = policies.flatMap((policy) => {
        const cells = tasks.map(
          (task) =>
            byKey.get(rowKey({ policy, task, share, protocol })) ??
            byKey.get(rowKey({ policy, task, protocol })),
        );
        const there = cells.filter((cell) => cell !== undefined);
        if (there.length === 0) return [];
        const mean = (of: (row: TableRow) => number) =>
          there.reduce((sum, row) => sum + of(row), 0) / there.length;
        return [
          {
            policy,
            cells,
            accuracy: mean((row) => row.accuracy),
            bytes: mean((row) => row.byteRatio),
          },
        ];
      });
      found.sort((a, b) => b.accuracy - a.accuracy);
      lines.push(
        `### question ${protocol}, budget ${Number((100 * share).toPrecision(3))} %`,
        '',
        `${settings.contextTokens} tokens, n = ${settings.samples}, percent right (95 % interval), bytes of the full cache in f16`,
        '',
        `| policy | bytes % | ${tasks.join(' | ')} |`,
        `|---|---|${tasks.map(() => '---').join('|')}|`,
        ...found.map(
          ({ policy, cells, bytes }) =>
            `| ${policy} | ${percent(bytes)} | ${cells.map(cellText).join(' | ')} |`,
        ),
        '',
      );
    }
  }
  return lines.join('\n');
}
