import type { CellResult } from '../run/types';

/** One input of a view cell. */
export interface ViewInput {
  readonly id: string;
  readonly title: string;
  /** undefined until the cell has run. */
  readonly result: CellResult | undefined;
  /** The result belongs to earlier params. */
  readonly isStale: boolean;
}
