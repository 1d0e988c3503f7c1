/**
 * Static export. `HEADROOM_BASE_PATH=/headroom npm run build` builds for a sub-path, such as the
 * project pages of a static host; without it the site lives at the root of its origin.
 */
const basePath = process.env.HEADROOM_BASE_PATH ?? '';

/** @type {import('next').NextConfig} */
export default {
  output: 'export',
  basePath,
  trailingSlash: true,
  reactStrictMode: true,
  images: { unoptimized: true },
  // `npm test` and `npm run types` check the types once, for the whole tree and not only the pages.
  typescript: { ignoreBuildErrors: true },
  env: { HEADROOM_BASE_PATH: basePath },
  turbopack: {
    rules: {
      '*.wgsl': { type: 'text' },
      '*.md': { type: 'text' },
    },
  },
};
