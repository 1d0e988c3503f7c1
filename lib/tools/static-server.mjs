import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, relative, sep } from 'node:path';
import sirv from 'sirv';
import { contentSecurityPolicy, SCRIPT_POLICY, scriptPolicy } from './csp.mjs';

function pagePolicies(directory) {
  const policies = new Map();
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.html')) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const url = `/${relative(directory, path).split(sep).join('/')}`;
    const policy = contentSecurityPolicy(readFileSync(path, 'utf8'));
    policies.set(url, policy);
    policies.set(url.replace(/index\.html$/, ''), policy);
    policies.set(url.replace(/(\/index)?\.html$/, ''), policy);
  }
  return policies;
}

/**
 * Serves a static export on the loopback address with the headers that the page wants:
 * cross-origin isolation and a Content-Security-Policy without `unsafe-eval`.
 * @param {string} directory
 * @param {{ port?: number, basePath?: string }} [options] `port` 0 picks a free one; `basePath` such as `/headroom`
 * @returns {Promise<{ url: string, port: number, close(): Promise<void> }>}
 */
export function startStaticServer(directory, options = {}) {
  const basePath = options.basePath ?? '';
  const policies = pagePolicies(directory);
  const notFoundPage = join(directory, '404.html');
  const notFound = existsSync(notFoundPage) ? readFileSync(notFoundPage) : 'not found\n';
  const handle = sirv(directory, {
    etag: true,
    setHeaders(response, pathname) {
      const policy = policies.get(pathname) ?? policies.get('/404.html');
      const isScript = /\.m?js$/.test(pathname);
      response.setHeader(
        'Content-Security-Policy',
        isScript ? scriptPolicy(pathname) : `${policy ?? SCRIPT_POLICY}; frame-ancestors 'self'`,
      );
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
      response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
      response.setHeader('X-Content-Type-Options', 'nosniff');
      response.setHeader('Referrer-Policy', 'no-referrer');
      if (pathname.includes('/_next/static/')) {
        response.setHeader('Cache-Control', 'public, max-age=31536000, immutable');
      }
    },
  });
  const server = createServer((request, response) => {
    const url = request.url ?? '/';
    if (!url.startsWith(`${basePath}/`)) {
      response.writeHead(url === basePath ? 308 : 404, { location: `${basePath}/` }).end();
      return;
    }
    request.url = url.slice(basePath.length);
    handle(request, response, () => {
      response
        .writeHead(404, {
          'Content-Type': 'text/html;charset=utf-8',
          'Content-Security-Policy': policies.get('/404.html') ?? SCRIPT_POLICY,
        })
        .end(notFound);
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', () => {
      const { port } = server.address();
      resolve({
        url: `http://127.0.0.1:${port}${basePath}/`,
        port,
        close: () =>
          new Promise((done) => {
            server.close(() => done());
            server.closeAllConnections();
          }),
      });
    });
  });
}
