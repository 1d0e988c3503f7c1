import { toSpecIssues } from '../spec/issues';
import {
  type AttentionShape,
  attentionShape,
  type FileSource,
  type TensorLayout,
} from '../spec/kinds/attention';
import { schemaExpectation } from '../spec/ranges';
import type { TensorEntry, TensorHeader } from '../tensors/header';

/** Sides of one tensor by what they are; a layout without an axis has one of it. */
interface Sides {
  readonly batch: number;
  readonly heads: number;
  readonly positions: number;
  readonly headSize: number;
}

const quoted = (name: string) => JSON.stringify(name);
const sized = ({ name, shape }: TensorEntry) => `${quoted(name)} [${shape.join(', ')}]`;

/** The entries that the source names. @throws Error listing the tensors that the file has */
export function sourceEntries(
  header: TensorHeader,
  source: FileSource,
): Readonly<Record<'query' | 'key' | 'value', TensorEntry>> {
  const find = (part: 'query' | 'key' | 'value'): TensorEntry => {
    const entry = header.tensors.get(source[part]);
    if (entry !== undefined) return entry;
    const names = [...header.tensors.keys()];
    const listed = names.slice(0, 8).map(quoted).join(', ') || 'none';
    const more = names.length > 8 ? ` and ${names.length - 8} more` : '';
    throw new Error(
      `no tensor ${quoted(source[part])} for the ${part} in the file (found ${listed}${more})`,
    );
  };
  return { query: find('query'), key: find('key'), value: find('value') };
}

function sidesOf(entry: TensorEntry, layout: TensorLayout): Sides {
  if (entry.shape.length !== layout.length) {
    throw new Error(
      `tensor ${sized(entry)} has ${entry.shape.length} axes (expected ${layout.length} for layout ${layout})`,
    );
  }
  const side = (axis: string) => entry.shape[layout.indexOf(axis)] ?? 1;
  return { batch: side('b'), heads: side('h'), positions: side('n'), headSize: side('d') };
}

/**
 * The shape of the call that the tensors of a file make.
 *
 * @throws Error with one sentence where a tensor is missing, the three do not fit together, or the
 *   shape is beyond what a cell may have
 */
export function fileShape(header: TensorHeader, source: FileSource): AttentionShape {
  const { query, key, value } = sourceEntries(header, source);
  const q = sidesOf(query, source.layout);
  const k = sidesOf(key, source.layout);
  sidesOf(value, source.layout);
  if (key.shape.some((side, axis) => side !== value.shape[axis])) {
    throw new Error(`key ${sized(key)} and value ${sized(value)} differ (expected equal shapes)`);
  }
  for (const part of ['batch', 'headSize'] as const) {
    if (q[part] === k[part]) continue;
    throw new Error(
      `query ${sized(query)} and key ${sized(key)} do not fit: ${part} ${q[part]} and ${k[part]} (expected the same)`,
    );
  }
  const shape = {
    batch: q.batch,
    queryHeads: q.heads,
    kvHeads: k.heads,
    queries: q.positions,
    keys: k.positions,
    headSize: q.headSize,
  };
  const parsed = attentionShape.safeParse(shape);
  if (parsed.success) return parsed.data;
  const document = { cells: [{ kind: 'attention', params: { shape } }] };
  const [issue] = parsed.error.issues.flatMap((each) =>
    toSpecIssues(each, shape, (path) =>
      schemaExpectation(document, ['cells', 0, 'params', 'shape', ...path]),
    ),
  );
  throw new Error(
    `query ${sized(query)} and key ${sized(key)} in layout ${source.layout}: ${issue?.message}`,
  );
}

const FIELDS = ['batch', 'queryHeads', 'kvHeads', 'queries', 'keys', 'headSize'] as const;

/** How the file's shape differs from the cell's, as a sentence that names both; undefined where they are equal. */
export function shapeDifference(file: AttentionShape, cell: AttentionShape): string | undefined {
  const differing = FIELDS.filter((field) => file[field] !== cell[field]);
  if (differing.length === 0) return undefined;
  const listed = differing.map((field) => `${field} ${file[field]} (here ${cell[field]})`);
  return `the file has another shape than this cell: ${listed.join(', ')}; take the shape from the file, or choose another file`;
}
