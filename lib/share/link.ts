import { canonicalJson } from '../spec/canonical';
import type { SpecIssue } from '../spec/issues';
import type { Notebook } from '../spec/notebook';
import { MAX_DEPTH, parseNotebook } from '../spec/validate';

/** Codec 1: canonical JSON, zlib-deflated, base64url. The Adler-32 of zlib is what finds a damaged link. */
const CODEC = '1';
export const MAX_LINK_CHARACTERS = 65_536;
export const MAX_DOCUMENT_BYTES = 1_048_576;

export type DecodedLink =
  | { readonly kind: 'ok'; readonly notebook: Notebook; readonly view: ReadonlyMap<string, string> }
  | { readonly kind: 'empty' }
  | { readonly kind: 'too-large'; readonly message: string }
  | { readonly kind: 'newer-codec'; readonly codec: string; readonly message: string }
  | { readonly kind: 'newer-version'; readonly version: number; readonly message: string }
  | { readonly kind: 'damaged'; readonly characters: number; readonly message: string }
  | { readonly kind: 'invalid'; readonly issues: readonly SpecIssue[]; readonly message: string };

/** `#1.<payload>`: the fragment that reopens the notebook. */
export async function encodeLink(notebook: Notebook): Promise<string> {
  const bytes = new TextEncoder().encode(canonicalJson(notebook));
  const deflated = await collect(transform(bytes, new CompressionStream('deflate')), Infinity);
  return `#${CODEC}.${toBase64Url(deflated ?? new Uint8Array())}`;
}

/**
 * Reads a fragment, with or without `#`. White space that mail programs insert is dropped; anything
 * else that is not as it was written is refused, never repaired. Parameters after `&` are returned
 * apart, since they concern the view and not the document.
 */
export async function decodeLink(fragment: string): Promise<DecodedLink> {
  const text = fragment.replace(/^#/, '');
  if (text.trim() === '') return { kind: 'empty' };
  if (text.length > MAX_LINK_CHARACTERS) {
    return {
      kind: 'too-large',
      message: `this link has ${text.length.toLocaleString('en')} characters, above the limit of ${MAX_LINK_CHARACTERS.toLocaleString('en')}`,
    };
  }
  const [body = '', ...parameters] = text.split('&');
  const compact = body.replace(/(?:\s|%20|%0[AaDd])+/g, '');
  const damaged = (reason: string): DecodedLink => ({
    kind: 'damaged',
    characters: compact.length,
    message: `this link is truncated or damaged: ${compact.length.toLocaleString('en')} characters arrived, ${reason}`,
  });

  const [, codec, payload] = /^([0-9a-z]{1,8})\.(.*)$/s.exec(compact) ?? [];
  if (codec === undefined || payload === undefined)
    return damaged('and they do not begin as a link does');
  if (codec !== CODEC) {
    const message = `this link is written in codec ${codec}, and this page reads codec ${CODEC}: reload the page for a newer one`;
    return { kind: 'newer-codec', codec, message };
  }
  const deflated = fromBase64Url(payload);
  if (deflated === undefined) return damaged('and some cannot be in a link');
  let bytes: Uint8Array | undefined;
  try {
    bytes = await collect(
      transform(deflated, new DecompressionStream('deflate')),
      MAX_DOCUMENT_BYTES,
    );
  } catch {
    return damaged('and the checksum does not agree');
  }
  if (bytes === undefined) {
    return {
      kind: 'too-large',
      message: `this link unpacks to more than ${MAX_DOCUMENT_BYTES.toLocaleString('en')} bytes`,
    };
  }
  return readDocument(bytes, damaged, new Map(parameters.map(splitParameter)));
}

function readDocument(
  bytes: Uint8Array,
  damaged: (reason: string) => DecodedLink,
  view: ReadonlyMap<string, string>,
): DecodedLink {
  let value: unknown;
  try {
    const json = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (jsonDepth(json) > MAX_DEPTH)
      return { kind: 'too-large', message: `this link is nested deeper than ${MAX_DEPTH} levels` };
    value = JSON.parse(json);
  } catch {
    return damaged('and they hold no document');
  }
  const parsed = parseNotebook(value);
  if (parsed.ok) return { kind: 'ok', notebook: parsed.notebook, view };
  const message = parsed.issues[0]?.message ?? 'the document is invalid';
  if (parsed.newerVersion !== undefined)
    return { kind: 'newer-version', version: parsed.newerVersion, message };
  return { kind: 'invalid', issues: parsed.issues, message };
}

function splitParameter(parameter: string): [string, string] {
  const at = parameter.indexOf('=');
  return at < 0 ? [parameter, ''] : [parameter.slice(0, at), parameter.slice(at + 1)];
}

/** Deepest nesting of brackets outside strings: known before `JSON.parse` builds anything. */
function jsonDepth(json: string): number {
  let depth = 0;
  let deepest = 0;
  for (const token of json.matchAll(/"(?:[^"\\]|\\.)*"|[[{]|[\]}]/gs)) {
    const first = token[0].charAt(0);
    if (first === '[' || first === '{') deepest = Math.max(deepest, ++depth);
    else if (first === ']' || first === '}') depth--;
  }
  return deepest;
}

function transform(
  bytes: Uint8Array,
  stream: CompressionStream | DecompressionStream,
): ReadableStream<Uint8Array> {
  return new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(stream as ReadableWritablePair<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>);
}

/** The stream's bytes, or undefined as soon as they pass the limit: a bomb is never unpacked whole. */
async function collect(
  stream: ReadableStream<Uint8Array>,
  limit: number,
): Promise<Uint8Array | undefined> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > limit) {
      await reader.cancel();
      return undefined;
    }
    chunks.push(value);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

function toBase64Url(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

function fromBase64Url(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) return undefined;
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
