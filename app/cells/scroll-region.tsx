import type { ReactNode } from 'react';
import { useRegionName } from '../parts/region';

interface Props {
  /** Its accessible name, within the cell. */
  readonly label: string;
  readonly className: string | undefined;
  readonly children: ReactNode;
}

/** A wide table in a box of its own, which the keyboard can reach and scroll. */
export function ScrollRegion({ label, className, children }: Props) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section className={className} aria-label={useRegionName(label)} tabIndex={0}>
      {children}
    </section>
  );
}
