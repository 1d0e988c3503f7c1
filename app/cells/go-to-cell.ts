/** Focuses a cell that was just added and brings it into view; it is there after the next paint. */
export function goToCell(id: string): void {
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      const cell = document.querySelector<HTMLElement>(`[data-cell="${CSS.escape(id)}"]`);
      cell?.focus();
      cell?.scrollIntoView({ block: 'start' });
    }),
  );
}
