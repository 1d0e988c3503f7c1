import type { CsvTable } from './csv';
import { type YamlValue, yamlAt, yamlNumber } from './yaml-subset';

/**
 * Weight of the longest context in the time of a decode batch of unequal contexts:
 * t = t(mean) + alpha (t(longest) - t(mean)).
 */
export interface SkewTerm {
  /**
   * @param chunk sampled prefill chunk, or any other value (then the pooled weight holds)
   * @param share (mean - shortest) / (longest - shortest) of the decode contexts, in [0, 1]
   */
  alpha(
    chunk: number,
    decodes: number,
    share: number,
    longest: number,
    prefillContext: number,
  ): number;
}

/** Edges of the buckets where the profile's metadata names none: those of the published profiles. */
const DEFAULT_EDGES = {
  n: [0, 2, 4, 8, 16, 32, 64, 128, 256, 1e6],
  skew_rate: [-0.01, 0.05, 0.15, 0.4, 0.7, 1.01],
  kv_big: [0, 1024, 4096, 16_384, 1e9],
  kp: [-1, 0, 512, 1024, 2048, 4096, 8192, 1e9],
} as const;
const DEFAULT_LABELS = {
  n: ['n<=2', 'n<=4', 'n<=8', 'n<=16', 'n<=32', 'n<=64', 'n<=128', 'n<=256', 'n>256'],
  skew_rate: ['sr<=5%', 'sr<=15%', 'sr<=40%', 'sr<=70%', 'sr>70%'],
  kv_big: ['kvB<=1k', 'kvB<=4k', 'kvB<=16k', 'kvB>16k'],
  kp: ['kp=0', 'kp<=512', 'kp<=1k', 'kp<=2k', 'kp<=4k', 'kp<=8k', 'kp>8k'],
} as const;
type AxisName = keyof typeof DEFAULT_EDGES;
const AXES: readonly AxisName[] = ['n', 'skew_rate', 'kv_big', 'kp'];

/** Bucket of `value`: the first whose upper edge is not below it. */
function bucketOf(edges: readonly number[], value: number): number {
  const last = edges.length - 2;
  for (let i = 0; i < last; i++) if (value <= (edges[i + 1] as number)) return i;
  return last;
}

function axisOf(meta: YamlValue, name: AxisName) {
  const axes = yamlAt(meta, 'skew_fit', 'bucket_axes');
  const edges = yamlAt(axes, `${name}_bins`);
  const labels = yamlAt(axes, `${name}_labels`);
  return Array.isArray(edges) && Array.isArray(labels)
    ? { edges: edges.map(Number), labels: labels.map(String) }
    : { edges: DEFAULT_EDGES[name], labels: DEFAULT_LABELS[name] as readonly string[] };
}

/** Whether the metadata says that the profile's skew weights are not to be used. */
export function isSkewOff(meta: YamlValue): boolean {
  return yamlAt(meta, 'skew_fit', 'enabled') === false;
}

/**
 * The skew weights of `skew_fit.csv`, or of the pooled `alpha_default` alone where there is no such
 * file; no correction where the profile measured none or its metadata switches the fit off. Weights
 * hold for the prefill chunks that were sampled; any other chunk, and a bucket without samples, takes
 * the pooled weight: that is the rule of the published profiles, whose weights jump from bucket to
 * bucket.
 *
 * @throws Error naming file and line of a label that the metadata does not list
 */
export function readSkewTerm(
  table: CsvTable | undefined,
  meta: YamlValue,
  tensorParallel: number,
): SkewTerm | undefined {
  if (isSkewOff(meta)) return undefined;
  const pooled = yamlNumber(meta, 'skew_fit', 'per_tp', String(tensorParallel), 'alpha_default');
  if (table === undefined && pooled === undefined) return undefined;
  const fallback = pooled ?? 0;
  const axes = AXES.map((name) => axisOf(meta, name));
  const sizes = axes.map(({ labels }) => labels.length);
  const [n, rate, big, context] = sizes as [number, number, number, number];
  const perChunk = n * rate * big * context;
  const byChunk = new Map<number, Float64Array>();
  if (table !== undefined) {
    const chunks = table.numbers('pc');
    const alphas = table.numbers('alpha');
    const columns = AXES.map((name) => table.labels(`${name}_label`));
    for (let row = 0; row < table.rows; row++) {
      let index = 0;
      for (let a = 0; a < AXES.length; a++) {
        const label = columns[a]?.[row] ?? '';
        const place = axes[a]?.labels.indexOf(label) ?? -1;
        if (place < 0) {
          throw new Error(
            `${table.file}: line ${table.line(row)}: invalid ${AXES[a]}_label: ${JSON.stringify(label)} (expected ${axes[a]?.labels.join(', ')})`,
          );
        }
        index = index * (sizes[a] as number) + place;
      }
      const chunk = chunks[row] as number;
      const slots = byChunk.get(chunk) ?? new Float64Array(perChunk).fill(fallback);
      byChunk.set(chunk, slots);
      slots[index] = alphas[row] as number;
    }
  }
  const edges: readonly (readonly number[])[] = axes.map((axis) => axis.edges);
  const [edgesN = [], edgesRate = [], edgesBig = [], edgesContext = []] = edges;
  return {
    alpha(chunk, decodes, share, longest, prefillContext) {
      const slots = byChunk.get(chunk);
      if (slots === undefined) return fallback;
      const index =
        ((bucketOf(edgesN, decodes) * rate + bucketOf(edgesRate, share)) * big +
          bucketOf(edgesBig, longest)) *
          context +
        bucketOf(edgesContext, prefillContext);
      return slots[index] as number;
    },
  };
}
