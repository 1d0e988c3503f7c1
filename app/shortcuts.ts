/** Everything a key or the palette can do. One list: the handler, the palette and the help sheet read it. */
export interface Command {
  readonly id: string;
  readonly title: string;
  /** Such as `Mod-Enter`; `Mod` is Control, or Command on a Mac. Letters are by `event.key`. */
  readonly keys: readonly string[];
  readonly run: () => void;
}

/** The event's keys in the notation of `Command.keys`. */
export function chordOf(
  event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>,
): string {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return [
    event.ctrlKey || event.metaKey ? 'Mod' : undefined,
    event.altKey ? 'Alt' : undefined,
    // A shifted sign such as ? already differs from the plain one.
    event.shiftKey && (event.key.length > 1 || /[a-z]/i.test(event.key)) ? 'Shift' : undefined,
    key,
  ]
    .filter((part) => part !== undefined)
    .join('-');
}

/** Keys that type belong to the field that has the focus, and arrows to the view that has it. */
export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
  );
}

export function findCommand(
  commands: readonly Command[],
  chord: string,
  typing: boolean,
): Command | undefined {
  if (typing && !chord.startsWith('Mod-') && chord !== 'Shift-Enter') return undefined;
  return commands.find((command) => command.keys.includes(chord));
}
