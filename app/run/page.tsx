import type { Metadata } from 'next';
import { Runner } from './runner';

export const metadata: Metadata = {
  title: 'Headroom headless runner',
  robots: { index: false, follow: false },
};

export default function Page() {
  return (
    <main id="notebook">
      <h1>Headroom headless runner</h1>
      <p>
        The command line opens this page to run attention cells on this machine’s WebGPU through{' '}
        <code>window.headroomRun(notebookJson)</code>; to work with a notebook, open the{' '}
        <a href="../">workbench</a>.
      </p>
      <Runner />
    </main>
  );
}
