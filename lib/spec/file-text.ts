import { type ParsedFile, parseFile } from './markdown';

/**
 * A notebook from the bytes of its file. Bytes that are no UTF-8 are refused, not replaced: what was
 * no text would else open as a notebook of question marks.
 *
 * @param name of the file, for the message
 */
export function parseFileBytes(name: string, bytes: Uint8Array): ParsedFile {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const line = lineOfFirstBadByte(bytes);
    return { ok: false, issues: [{ line, message: `${name} is not text in UTF-8` }] };
  }
  return parseFile(text);
}

function lineOfFirstBadByte(bytes: Uint8Array): number {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  for (const byte of bytes) {
    try {
      decoder.decode(Uint8Array.of(byte), { stream: true });
    } catch {
      return line;
    }
    if (byte === 0x0a) line++;
  }
  return line;
}
