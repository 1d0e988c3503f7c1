import { NOTEBOOKS } from '../notebooks';
import styles from '../workbench.module.css';

/** Slug and route of the page that replays measured runs. */
export const HOW_RIGHT = {
  slug: 'how-right',
  path: '/how-right/',
  name: 'How right is it?',
} as const;

/** The notebooks that travel with the site, and its other page. */
export function SiteLinks({ current }: { readonly current: string | undefined }) {
  return (
    <nav aria-label="Notebooks" className={styles.notebooks}>
      {[...NOTEBOOKS, HOW_RIGHT].map((each) => (
        <a
          key={each.slug}
          href={`${process.env.HEADROOM_BASE_PATH ?? ''}${each.path}`}
          aria-current={each.slug === current ? 'page' : undefined}
        >
          {each.name}
        </a>
      ))}
    </nav>
  );
}
