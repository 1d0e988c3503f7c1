import { show } from './json-fields';

/** Hosts that may be asked without encryption: the page's policy names the same. */
const LOOPBACK: readonly string[] = ['localhost', '127.0.0.1'];

/**
 * The folder of a model's files from what a person types: the address of the folder, of its
 * `config.json`, or of the model's page at huggingface.co.
 *
 * @returns an absolute URL that ends with `/`
 * @throws Error naming the text
 */
export function modelAddress(text: string): string {
  const trimmed = text.trim();
  let url: URL;
  try {
    url = new URL(trimmed);
  } catch {
    throw new Error(`invalid address: ${show(trimmed)} (expected https://host/folder)`);
  }
  const isLoopback = url.protocol === 'http:' && LOOPBACK.includes(url.hostname);
  if (url.protocol !== 'https:' && !isLoopback) {
    throw new Error(
      `invalid address: ${show(trimmed)} (expected https, or http for localhost and 127.0.0.1)`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new Error(`invalid address: a user name or password in it (expected neither)`);
  }
  const parts = url.pathname.split('/').filter((part) => part !== '');
  const folder = url.hostname === 'huggingface.co' ? hubFolder(parts, trimmed) : plainFolder(parts);
  return `${url.origin}/${folder.map((part) => `${part}/`).join('')}`;
}

function plainFolder(parts: readonly string[]): readonly string[] {
  return parts.at(-1)?.endsWith('.json') ? parts.slice(0, -1) : parts;
}

/** `OWNER/NAME`, `OWNER/NAME/tree/REVISION` and file addresses, as the folder that files come from. */
function hubFolder(parts: readonly string[], typed: string): readonly string[] {
  const [owner, name, view, revision = 'main'] = parts;
  if (owner === undefined || name === undefined) {
    throw new Error(`invalid address: ${show(typed)} (expected https://huggingface.co/OWNER/NAME)`);
  }
  if (view !== undefined && !['tree', 'blob', 'resolve', 'raw'].includes(view)) {
    throw new Error(`invalid address: ${show(typed)} (expected a model's page or its files)`);
  }
  return [owner, name, 'resolve', revision, ...plainFolder(parts.slice(4))];
}
