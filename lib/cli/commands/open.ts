import { decodeLink } from '../../share/link';
import { formatIssue } from '../../spec/issues';
import { printMarkdown } from '../../spec/markdown';
import { command, onlyArgument, readArguments } from '../command-line';

const readLink = (args: readonly string[]) =>
  onlyArgument(readArguments(args, {}).positionals, 'LINK');

/** `headroom open LINK`: prints the notebook of a link, or of its fragment alone, as Markdown. */
export const openCommand = command('usage: headroom open LINK', readLink, async (link) => {
  const hash = link.indexOf('#');
  // An address without a fragment carries nothing; a payload by itself has no slash.
  const fragment = hash >= 0 ? link.slice(hash) : link.includes('/') ? '' : link;
  const decoded = await decodeLink(fragment);
  switch (decoded.kind) {
    case 'ok':
      process.stdout.write(printMarkdown(decoded.notebook));
      return 0;
    case 'empty':
      throw new Error('this link carries no notebook');
    case 'invalid':
      throw new Error(decoded.issues.map(formatIssue).join('\n'));
    default:
      throw new Error(decoded.message);
  }
});
