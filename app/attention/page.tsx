import type { Metadata } from 'next';
import source from '../../notebooks/attention-lab.md';
import { BundledNotebook } from '../bundled-notebook';

export const metadata: Metadata = { title: 'Which keys does a query need? · Headroom' };

/** The notebook on attention variants. */
export default function Page() {
  return <BundledNotebook slug="attention-lab" source={source} />;
}
