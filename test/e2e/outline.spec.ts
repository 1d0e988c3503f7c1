import { expect, test } from 'playwright/test';

const PAGES = ['./', 'attention/', 'cache/', 'how-right/', 'n/', 'run/', 'no-such-page/'];

/** What a reader without a pointer or a picture trips over. */
function problemsOf(): string[] {
  const problems: string[] = [];
  const shown = (selector: string) =>
    [...document.querySelectorAll<HTMLElement>(selector)].filter((each) => each.checkVisibility());
  if (document.querySelectorAll('main').length !== 1) problems.push('not one main landmark');
  let level = 0;
  for (const heading of shown('h1, h2, h3, h4, h5, h6')) {
    const next = Number(heading.tagName[1]);
    if (next > level + 1 || (next === 1 && level > 0))
      problems.push(`h${next} after h${level}: ${heading.textContent}`);
    level = next;
  }
  for (const control of shown('a[href], button, input, select, textarea, summary')) {
    const labels = (control as HTMLInputElement).labels ?? [];
    const by = (control.getAttribute('aria-labelledby') ?? '').split(' ');
    const name = [
      control.getAttribute('aria-label'),
      control.title,
      ...[...labels, ...by.map((id) => document.getElementById(id))].map(
        (each) => each?.textContent,
      ),
      control.matches('a, button, summary') ? control.textContent : '',
    ].join('');
    if (name.trim() === '') problems.push(`no name: ${control.outerHTML.slice(0, 120)}`);
  }
  const skip = document.querySelector<HTMLAnchorElement>('.skip-link');
  if (!document.querySelector(skip?.hash || 'none')) problems.push('the skip link leads nowhere');
  return problems;
}

for (const path of PAGES) {
  test(`${path} has one main landmark, headings in order and named controls`, async ({ page }) => {
    await page.goto(path);
    await page.locator('h1').first().waitFor();
    await page.evaluate(() => {
      for (const details of document.querySelectorAll('details')) details.open = true;
    });
    expect(await page.evaluate(problemsOf)).toEqual([]);
  });
}
