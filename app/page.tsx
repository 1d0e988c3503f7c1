import source from '../notebooks/why-split-prefill-and-decode.md';
import { BundledNotebook } from './bundled-notebook';

/** The first notebook. */
export default function Page() {
  return <BundledNotebook slug="why-split-prefill-and-decode" source={source} />;
}
