const KEY = 'headroom-theme';
const THEMES: readonly string[] = ['system', 'light', 'dark'];

/** Goes on to the next theme, remembers it, and gives its name. */
export function nextTheme(): string {
  const root = document.documentElement;
  const current = root.dataset.theme ?? 'system';
  const next = THEMES[(THEMES.indexOf(current) + 1) % THEMES.length] ?? 'system';
  if (next === 'system') delete root.dataset.theme;
  else root.dataset.theme = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // Storage may be forbidden; the theme then lasts as long as the page.
  }
  return next;
}
