import { fileURLToPath } from 'node:url';

/** The repository's root, with a trailing separator. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** The static export. */
export const OUT = fileURLToPath(new URL('../../out/', import.meta.url));
