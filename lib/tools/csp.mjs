import { createHash } from 'node:crypto';

/** Hashes of the inline scripts of one page: the export's hydration data is inline. */
function inlineScriptHashes(html) {
  const hashes = new Set();
  for (const [, attributes, body] of html.matchAll(/<script\b([^>]*)>([\s\S]*?)<\/script>/g)) {
    if (/\bsrc=/.test(attributes ?? '') || body === '') continue;
    hashes.add(`'sha256-${createHash('sha256').update(body).digest('base64')}'`);
  }
  return [...hashes];
}

/**
 * Content-Security-Policy of a page: own scripts and the page's own inline ones by hash, no eval,
 * no foreign origin. Styles may be inline: charts write style elements and attributes.
 * @param {string} html
 */
export function contentSecurityPolicy(html) {
  return [
    "default-src 'self'",
    ["script-src 'self'", ...inlineScriptHashes(html)].join(' '),
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

/** A worker ignores its page's policy, so scripts carry their own; only workers compile WebAssembly. */
export const SCRIPT_POLICY =
  "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";

/**
 * Of the one script that may read other origins: the worker that fetches a model from an address
 * that a person has typed and confirmed. It loads nothing else.
 */
const MODEL_FETCH_POLICY =
  "default-src 'none'; connect-src https: http://localhost:* http://127.0.0.1:*";

/**
 * Content-Security-Policy of a script, for when it is a worker.
 * @param {string} pathname such as `/model-fetch.js`
 */
export function scriptPolicy(pathname) {
  return pathname === '/model-fetch.js' ? MODEL_FETCH_POLICY : SCRIPT_POLICY;
}

/**
 * The page with its policy in a `meta` element, for hosts that send no headers of ours.
 * @param {string} html
 */
export function withPolicyMeta(html) {
  const marker = 'http-equiv="Content-Security-Policy"';
  if (html.includes(marker)) return html;
  return html.replace('<head>', `<head><meta ${marker} content="${contentSecurityPolicy(html)}"/>`);
}
