import type { Command } from '../shortcuts';
import { Dialog } from './dialog';

const VIEW_KEYS: readonly (readonly [string, string])[] = [
  ['map: arrows, Shift-arrows', 'move the cursor by 1, by 16'],
  ['map and timeline: + and -', 'zoom at the cursor'],
  ['map and timeline: 0', 'show everything'],
  ['timeline: W S A D', 'zoom and pan'],
  ['timeline: , and .', 'previous and next iteration'],
  ['timeline: up and down', 'change lane'],
  ['Control-wheel', 'zoom at the pointer'],
];

export function HelpDialog({
  commands,
  onClose,
}: {
  readonly commands: readonly Command[];
  readonly onClose: () => void;
}) {
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <table>
        <caption className="visually-hidden">keys of every command</caption>
        <tbody>
          {commands
            .filter((command) => command.keys.length > 0)
            .map((command) => (
              <tr key={command.id}>
                <td>{command.title}</td>
                <td>
                  {command.keys.map((keys) => (
                    <kbd key={keys}>{keys}</kbd>
                  ))}
                </td>
              </tr>
            ))}
          {VIEW_KEYS.map(([keys, what]) => (
            <tr key={keys}>
              <td>{what}</td>
              <td>
                <kbd>{keys}</kbd>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p>Mod is Control, or Command on a Mac.</p>
    </Dialog>
  );
}
