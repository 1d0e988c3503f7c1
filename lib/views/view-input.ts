import type { CellResult } from '../run/types';
import type { CellKind } from '../spec/notebook';

/** One input of a view cell. */
export interface ViewInput {
  readonly id: string;
  readonly title: string;
  /** Known before the cell has run. */
  readonly kind: CellKind | undefined;
  /** undefined until the cell has run. */
  readonly result: CellResult | undefined;
  /** The result belongs to earlier params. */
  readonly isStale: boolean;
}
