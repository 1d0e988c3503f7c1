/** What may stand between the fields of a table, the most usual first. */
const DELIMITERS = [',', ';', '\t', '|'] as const;

/** What stands between the fields of a header: what is in its first line most often, a comma if nothing is. */
export function delimiterOf(text: string): string {
  const line = text.trimStart().split('\n', 1)[0] ?? '';
  const unquoted = line.replace(/"[^"]*"/g, '');
  const times = (delimiter: string) => unquoted.split(delimiter).length - 1;
  return DELIMITERS.reduce((best, each) => (times(each) > times(best) ? each : best));
}
