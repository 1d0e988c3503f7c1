/** A single object may be this long. */
const MAX_OBJECT_CHARACTERS = 2 ** 26;

/**
 * Cuts the outermost objects out of JSON text that comes in pieces: of a list of objects, or of
 * objects one after the other.
 *
 * @param onObject the text of an object and its number, from 1; false stops
 */
export function createObjectScanner(onObject: (text: string, number: number) => boolean): {
  push(text: string): void;
  /** @throws Error where the text ends in an object */
  finish(): void;
} {
  let open = '';
  let depth = 0;
  let isString = false;
  let isEscaped = false;
  let number = 0;
  let isStopped = false;
  return {
    push(text) {
      if (isStopped) return;
      let from = depth > 0 ? 0 : -1;
      for (let i = 0; i < text.length; i++) {
        const code = text.charCodeAt(i);
        if (isString) {
          if (isEscaped) isEscaped = false;
          else if (code === 92) isEscaped = true;
          else if (code === 34) isString = false;
        } else if (code === 34 && depth > 0) isString = true;
        else if (code === 123) {
          if (depth++ === 0) from = i;
        } else if (code === 125 && depth > 0) {
          if (--depth > 0) continue;
          const whole = open + text.slice(from, i + 1);
          open = '';
          from = -1;
          number++;
          if (!onObject(whole, number)) {
            isStopped = true;
            return;
          }
        } else if (depth === 0 && !isBetween(code)) {
          throw new Error(
            `after object ${number}: found ${JSON.stringify(text.slice(i, i + 20))} (expected a list of JSON objects)`,
          );
        }
      }
      if (from >= 0) open += text.slice(from);
      if (open.length > MAX_OBJECT_CHARACTERS)
        throw new Error(`object ${number + 1}: longer than ${MAX_OBJECT_CHARACTERS} characters`);
    },
    finish() {
      if (depth > 0 && !isStopped) throw new Error(`object ${number + 1}: the file ends within it`);
    },
  };
}

/** White space, comma, brackets of the list, byte order mark. */
function isBetween(code: number): boolean {
  return code <= 32 || code === 44 || code === 91 || code === 93 || code === 0xfeff;
}
