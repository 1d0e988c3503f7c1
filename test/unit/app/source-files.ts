import { readdirSync, readFileSync } from 'node:fs';

/** The page's components, as text, by path. */
export function componentSources(): ReadonlyMap<string, string> {
  const paths = readdirSync('app', { recursive: true, encoding: 'utf8' });
  return new Map(
    paths
      .filter((path) => path.endsWith('.tsx'))
      .map((path) => [path, readFileSync(`app/${path}`, 'utf8')]),
  );
}
