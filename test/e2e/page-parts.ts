import { expect, type Locator, type Page } from 'playwright/test';

export const cell = (page: Page, id: string) => page.locator(`[data-cell="${id}"]`);
export const state = (page: Page, id: string) => cell(page, id).locator('[data-state]').first();

/** Asks for the kernel itself: on a software adapter engine auto takes WebAssembly. */
export async function chooseEngine(page: Page, id: string, engine: string): Promise<void> {
  await cell(page, id).getByText('Parameters').click();
  await cell(page, id).getByLabel('engine').selectOption(engine);
}

/** Anything the page complains about is a failure. */
function watchConsole(page: Page): string[] {
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  return problems;
}

export async function open(page: Page, path = './'): Promise<string[]> {
  const problems = watchConsole(page);
  await page.goto(path);
  await page.locator('[data-cell], [role=alert]').first().waitFor();
  return problems;
}

/** Opens the published methods by their key, which the page may not listen to at once. */
export async function openMethods(page: Page): Promise<Locator> {
  const dialog = page.getByRole('dialog', { name: 'Published methods' });
  await expect(async () => {
    await page.keyboard.press('m');
    await expect(dialog).toBeVisible({ timeout: 1000 });
  }).toPass();
  return dialog;
}

/** Opens a document's text as a file; the page must be open. */
export async function openDocument(page: Page, text: string): Promise<void> {
  await page.locator('header input[type=file]').setInputFiles({
    name: 'document.md',
    mimeType: 'text/markdown',
    buffer: Buffer.from(text),
  });
  await page.locator('[data-cell]').first().waitFor();
}

/** Runs a cell and waits until it is done. */
export async function run(page: Page, id: string): Promise<void> {
  await cell(page, id).getByRole('button', { name: /^Run/ }).click();
  await expect(state(page, id)).toHaveText(/done/, { timeout: 60_000 });
}
