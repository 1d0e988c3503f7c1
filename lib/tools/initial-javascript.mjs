import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/**
 * Scripts that a page of the export asks for before anything is clicked.
 * @param {string} directory the export
 * @param {string} page such as `index.html`
 * @returns {{ files: { file: string, gzipBytes: number }[], gzipBytes: number }}
 */
export function initialJavaScript(directory, page = 'index.html') {
  const html = readFileSync(join(directory, page), 'utf8');
  const sources = new Set();
  for (const [, attributes] of html.matchAll(/<script\b([^>]*)>/g)) {
    // `nomodule` scripts are for browsers without modules: no browser with WebGPU loads them.
    const source = /\bsrc="([^"]+)"/.exec(attributes ?? '')?.[1];
    if (source !== undefined && !/\bnomodule\b/i.test(attributes ?? '')) sources.add(source);
  }
  const files = [...sources].map((source) => {
    const file = source.replace(/^.*?\/_next\//, '_next/').replace(/\?.*$/, '');
    return { file, gzipBytes: gzipSync(readFileSync(join(directory, file)), { level: 9 }).length };
  });
  return { files, gzipBytes: files.reduce((sum, { gzipBytes }) => sum + gzipBytes, 0) };
}
