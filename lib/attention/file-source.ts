import { type FileSource, TENSOR_LAYOUTS, type TensorLayout } from '../spec/kinds/attention';
import type { TensorHeader } from '../tensors/header';

/** Names that such tensors go by, at the end of a path of names. */
const NAMES = {
  query: /(^|[./_-])(q|query|queries)([._-]states?)?$/i,
  key: /(^|[./_-])(k|key|keys)([._-]states?)?$/i,
  value: /(^|[./_-])(v|value|values)([._-]states?)?$/i,
} as const;
const BY_AXES: Readonly<Record<number, TensorLayout>> = { 4: 'bhnd', 3: 'hnd', 2: 'nd' };

/**
 * A source for a file that was just chosen: names and layout of `before` where the file has them,
 * else the first tensors whose names tell, and the layout of our own exports or the usual one for
 * their number of axes. A name that nothing tells stays as it was, for the user to change.
 */
export function sourceFor(
  header: TensorHeader,
  fileName: string,
  before: FileSource | undefined,
): FileSource {
  const names = [...header.tensors.keys()];
  const nameOf = (part: keyof typeof NAMES, fallback: string): string => {
    const known = before?.[part] ?? fallback;
    if (header.tensors.has(known)) return known;
    return names.find((name) => name.length <= 200 && NAMES[part].test(name)) ?? known;
  };
  const query = nameOf('query', 'q');
  const axes = header.tensors.get(query)?.shape.length;
  const told = header.metadata.get('layout');
  const layouts = [told, before?.layout, axes === undefined ? undefined : BY_AXES[axes]];
  const layout = layouts
    .map((each) => TENSOR_LAYOUTS.find((known) => known === each))
    .find((each) => each !== undefined && (axes === undefined || each.length === axes));
  return {
    source: 'file',
    fileName: fileName.slice(0, 200),
    query,
    key: nameOf('key', 'k'),
    value: nameOf('value', 'v'),
    layout: layout ?? before?.layout ?? 'bhnd',
  };
}
