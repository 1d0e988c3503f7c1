import type { Metadata } from 'next';
import { SiteLinks } from './parts/site-links';
import styles from './workbench.module.css';

export const metadata: Metadata = { title: 'No such page · Headroom' };

/** What a static host shows for an address of this site that leads nowhere. */
export default function NotFound() {
  return (
    <div className={styles.page}>
      <header className={styles.bar}>
        <a className={styles.brand} href={`${process.env.HEADROOM_BASE_PATH ?? ''}/`}>
          Headroom
        </a>
        <SiteLinks current={undefined} />
      </header>
      <main id="notebook" className={styles.notebook}>
        <h1>There is no page at this address</h1>
        <p>
          The notebooks are linked above. A link to an experiment of your own has <code>/n/#</code>{' '}
          in it: what stands after the # is the notebook.
        </p>
      </main>
    </div>
  );
}
