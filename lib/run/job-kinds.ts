import { isGenerated } from '../spec/kinds/workload';
import type { Cell, CellKind, CellOf } from '../spec/notebook';

/**
 * Version of what each kind computes. Bump it when the same params give other results; recorded
 * results and cached ones of another version no longer fit.
 */
export const KIND_VERSIONS = {
  attention: 1,
  compose: 1,
  recurrent: 2,
  decode: 1,
  model: 2,
  cache: 2,
  'recall-gap': 1,
  speculate: 2,
  workload: 1,
  serve: 1,
  sweep: 1,
  check: 1,
  plan: 1,
} as const;

/** Kinds that run in a worker. The others derive from their inputs (views) or are always done (text). */
export type JobKind = keyof typeof KIND_VERSIONS;
export type JobCell = CellOf<JobKind>;
export type WorkerName = 'kernel' | 'model' | 'simulation';

/** Kinds that run in the kernel worker, on their params and a file. */
export const KERNEL_KINDS = [
  'attention',
  'compose',
  'recurrent',
  'decode',
] as const satisfies readonly JobKind[];
export type KernelKind = (typeof KERNEL_KINDS)[number];

/** Kinds that run in the model worker. */
export const MODEL_KINDS = [
  'model',
  'cache',
  'recall-gap',
  'speculate',
] as const satisfies readonly JobKind[];

export function isKernelCell(cell: Cell): cell is CellOf<KernelKind> {
  return isKernelKind(cell.kind);
}

export function isKernelKind(kind: CellKind): kind is KernelKind {
  return KERNEL_KINDS.some((each) => each === kind);
}

export function isJobKind(kind: CellKind): kind is JobKind {
  return kind in KIND_VERSIONS;
}

export function isJobCell(cell: Cell): cell is JobCell {
  return isJobKind(cell.kind);
}

export function workerOf(kind: JobKind): WorkerName {
  if (isKernelKind(kind)) return 'kernel';
  return MODEL_KINDS.some((each) => each === kind) ? 'model' : 'simulation';
}

/** The file that a cell cannot run without, as the document names it (perhaps ''); undefined if it needs none. */
export function neededFileName(cell: Cell): string | undefined {
  if (cell.kind === 'workload') {
    const { source } = cell.params;
    return isGenerated(source) ? undefined : source.fileName;
  }
  if (cell.kind === 'serve') {
    const { costModel } = cell.params;
    return 'fileName' in costModel ? costModel.fileName : undefined;
  }
  if (cell.kind === 'attention') {
    const { inputs } = cell.params;
    return inputs.source === 'file' ? inputs.fileName : undefined;
  }
  if (cell.kind === 'model') {
    const { source } = cell.params;
    return source.type === 'file' ? source.fileName : undefined;
  }
  return undefined;
}

/** Whether a file can ever be bound to cells of the kind. */
export function takesFile(kind: CellKind): boolean {
  return ['workload', 'serve', 'attention', 'model'].includes(kind);
}

/** The sentence a cell fails with while its file is not there. */
export function missingFileMessage(fileName: string): string {
  return fileName === ''
    ? 'needs a file: choose one for this cell'
    : `needs the file "${fileName}": choose it for this cell (files never travel in a link)`;
}
