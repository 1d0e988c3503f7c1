import { isOpTableFile } from '../cost/op-tables/bundle';

/** What the files of a drop are, by their names; texts are read later. */
export interface SortedFiles<F> {
  readonly meta: F | undefined;
  readonly requests: F | undefined;
  readonly tokens: F | undefined;
  readonly modelConfig: F | undefined;
  /** By the name that a profile has them under: `tp1/dense.csv`, or `dense.csv`. */
  readonly tables: ReadonlyMap<string, F>;
  /** Neither: perhaps a reference run and its tables. */
  readonly json: readonly F[];
  readonly ignored: readonly string[];
}

const baseName = (path: string): string => path.split('/').at(-1) as string;

/** The path from the folder of a tensor-parallel degree on, or the name alone. */
function tableName(path: string): string {
  return /(?:^|\/)(tp\d+\/[^/]+)$/.exec(path)?.[1] ?? baseName(path);
}

/**
 * Sorts dropped files. A `meta.json` or `requests.jsonl` is the run's, CSV files of a profile its
 * tables, any other `.jsonl` the tokens of the requests.
 *
 * @throws Error where two files claim one place
 */
export function sortFiles<F extends { readonly path: string }>(
  files: readonly F[],
): SortedFiles<F> {
  const one = (what: string, found: readonly F[]): F | undefined => {
    const [first, second] = found;
    if (first !== undefined && second !== undefined)
      throw new Error(`two files for ${what}: ${first.path} and ${second.path}`);
    return first;
  };
  const named = (name: string) => files.filter(({ path }) => baseName(path) === name);
  const tables = new Map<string, F>();
  for (const file of files.filter(({ path }) => isOpTableFile(path))) {
    const name = tableName(file.path);
    const other = tables.get(name);
    if (other !== undefined)
      throw new Error(`two files for ${name}: ${other.path} and ${file.path}`);
    tables.set(name, file);
  }
  const taken = ['meta.json', 'requests.jsonl', 'config.json'];
  const rest = files.filter(({ path }) => !taken.includes(baseName(path)) && !isOpTableFile(path));
  const isJson = (path: string) => /\.json(\.gz)?$/.test(path);
  return {
    meta: one('meta.json', named('meta.json')),
    requests: one('requests.jsonl', named('requests.jsonl')),
    tokens: one(
      'the tokens (.jsonl)',
      rest.filter(({ path }) => path.endsWith('.jsonl')),
    ),
    modelConfig: one('config.json', named('config.json')),
    tables,
    json: rest.filter(({ path }) => isJson(path)),
    ignored: rest
      .filter(({ path }) => !isJson(path) && !path.endsWith('.jsonl'))
      .map(({ path }) => path),
  };
}
