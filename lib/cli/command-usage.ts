/**
 * The lines of the whole usage that are about one command.
 *
 * @param usage commands are indented by two spaces, and what goes on by more
 */
export function commandUsage(usage: string, name: string): string {
  const own: string[] = [];
  let isOwn = false;
  for (const line of usage.split('\n').slice(1)) {
    if (/^ {2}\S/.test(line)) isOwn = line.trim().split(' ')[0] === name;
    if (isOwn) own.push(line);
  }
  return [`usage: headroom ${name}`, '', ...own].join('\n');
}
