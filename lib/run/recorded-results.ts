import { type JobKind, KIND_VERSIONS } from './job-kinds';
import type { CellResult } from './types';

/** Results that came with the page, found by what they are of and never by cell id alone. */
export interface RecordedResults {
  load(results: ReadonlyMap<string, CellResult>): void;
  /** The result of exactly this content, or undefined. */
  find(kind: JobKind, specHash: string): CellResult | undefined;
  isEmpty(): boolean;
}

export function createRecordedResults(): RecordedResults {
  const byHash = new Map<string, CellResult>();
  return {
    load(results) {
      for (const { output, provenance } of results.values())
        byHash.set(provenance.specHash, {
          output,
          provenance: { ...provenance, recorded: true },
        });
    },
    find(kind, specHash) {
      const result = byHash.get(specHash);
      const fits =
        result?.output.kind === kind && result.provenance.kindVersion === KIND_VERSIONS[kind];
      return fits ? result : undefined;
    },
    isEmpty: () => byHash.size === 0,
  };
}
