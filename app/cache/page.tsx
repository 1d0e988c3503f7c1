import type { Metadata } from 'next';
import source from '../../notebooks/what-a-cache-still-knows.md';
import { BundledNotebook } from '../bundled-notebook';

export const metadata: Metadata = { title: 'What does a cache still know? · Headroom' };

/** The notebook on KV-cache policies. */
export default function Page() {
  return <BundledNotebook slug="what-a-cache-still-knows" source={source} />;
}
