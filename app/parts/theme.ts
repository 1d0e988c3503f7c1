const KEY = 'headroom-theme';
const THEMES: readonly string[] = ['system', 'light', 'dark'];

/** Which theme is chosen: `system` where none is. */
export const currentTheme = (): string => document.documentElement.dataset.theme ?? 'system';

/** Goes on to the next theme, remembers it, and gives its name. */
export function nextTheme(): string {
  const root = document.documentElement;
  const next = THEMES[(THEMES.indexOf(currentTheme()) + 1) % THEMES.length] ?? 'system';
  if (next === 'system') delete root.dataset.theme;
  else root.dataset.theme = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // Storage may be forbidden; the theme then lasts as long as the page.
  }
  return next;
}
