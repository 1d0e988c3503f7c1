/**
 * The sub-path that the site lives under: empty, or such as `/headroom`.
 * @param {string} text as given by an option or HEADROOM_BASE_PATH
 * @returns {string}
 */
export function basePathOf(text) {
  if (text === '' || /^(\/[\w.~-]+)+$/.test(text)) return text;
  throw new Error(`invalid base path: ${text} (expected nothing, or a path such as /headroom)`);
}
