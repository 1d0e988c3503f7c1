import { decodeLink } from '../../share/link';
import { formatIssue } from '../../spec/issues';
import { printMarkdown } from '../../spec/markdown';

/** `headroom open LINK`: prints the notebook of a link, or of its fragment alone, as Markdown. */
export async function openCommand(args: readonly string[]): Promise<number> {
  const [link] = args;
  if (link === undefined || args.length > 1) {
    console.error('usage: headroom open LINK');
    return 2;
  }
  const hash = link.indexOf('#');
  // An address without a fragment carries nothing; a payload by itself has no slash.
  const fragment = hash >= 0 ? link.slice(hash) : link.includes('/') ? '' : link;
  const decoded = await decodeLink(fragment);
  switch (decoded.kind) {
    case 'ok':
      process.stdout.write(printMarkdown(decoded.notebook));
      return 0;
    case 'empty':
      console.error('this link carries no notebook');
      return 1;
    case 'invalid':
      for (const issue of decoded.issues) console.error(formatIssue(issue));
      return 1;
    default:
      console.error(decoded.message);
      return 1;
  }
}
