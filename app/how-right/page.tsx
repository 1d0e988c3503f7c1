import type { Metadata } from 'next';
import { HowRight } from './how-right';

export const metadata: Metadata = { title: 'How right is it? · Headroom' };

/** Measured and reference runs of the reader's own, replayed and compared. */
export default function Page() {
  return <HowRight />;
}
