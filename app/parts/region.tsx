import { createContext, type ReactNode, use } from 'react';

/** Id of the cell that the parts below stand in. */
export const CellName = createContext<string | undefined>(undefined);

/** Two cells of one kind have parts of one name: a list of regions tells them apart by their cells. */
export function useRegionName(label: string): string {
  const cell = use(CellName);
  return cell === undefined ? label : `${label} of ${cell}`;
}

/** A repeated part of a cell, such as one of its policies: its regions are named by it too. */
export function Within({
  part,
  children,
}: {
  readonly part: string;
  readonly children: ReactNode;
}) {
  const cell = use(CellName);
  return <CellName value={cell === undefined ? part : `${part} of ${cell}`}>{children}</CellName>;
}

interface Props {
  /** Its accessible name, within the cell. */
  readonly label: string;
  readonly className?: string | undefined;
  readonly children: ReactNode;
}

/** A part of a cell that a screen reader lists. */
export function Region({ label, className, children }: Props) {
  return (
    <section className={className} aria-label={useRegionName(label)}>
      {children}
    </section>
  );
}
