import type { Command } from './command-line';

const USAGE = `usage: headroom COMMAND

  validate FILE...            whether each file is a notebook, and why not
  link FILE [--base URL]      the link that opens the notebook
  open LINK                   the notebook of a link, as Markdown
  method [ID]                 a published method as a notebook; without ID, the list
  run FILE --out RESULTS.json run it: simulation here, attention in headless Chromium (run --help)
  sweep FILE --cell ID        goodput against rate, or the highest rate that holds the SLO
  plan --model M --hardware H --accelerators N
                              the best parallelism and split into pools (plan --help)
  tensors FILE                what a safetensors file holds
  model DIR [--prompt TEXT]   what a model's files hold, and text that it generates
  tasks [ID]                  the recall tasks; with ID, its options and a sample
  eval --task ID              what a KV-cache policy still answers (eval --help)
  gates [--model DIR]         what a model must be able to do before its caches are judged
  calibrate --tables DIR | --log FILE
                              fit a hardware profile and show its errors (calibrate alone: usage)
  check vidur --tables T --run R
                              replay a reference run of Vidur and print the largest differences
  check vllm --run DIR [--tables DIR] [--tokens FILE]
                              replay a measured run of vLLM and print the signed errors
  check row ID                a published method held against its figures (--all, --list, --lab)
  check silicon --file CSV --tables DIR
                              simulate measured closed loops and print the median errors
  help [COMMAND]              this, or the options of a command

Results go to standard output, what is wrong to standard error. Exit code 0 when done; 1 where a file
is not what it should be, a run fails, or a gate or plan does not hold; 2 for a wrong command line.`;

/** Each command is loaded when it is called: a link needs no simulator. */
export const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  validate: async () => (await import('./commands/validate')).validateCommand,
  link: async () => (await import('./commands/link')).linkCommand,
  open: async () => (await import('./commands/open')).openCommand,
  method: async () => (await import('./commands/method')).methodCommand,
  run: async () => (await import('./commands/run')).runCommand,
  sweep: async () => (await import('./commands/sweep')).sweepCommand,
  plan: async () => (await import('./commands/plan')).planCommand,
  tensors: async () => (await import('./commands/tensors')).tensorsCommand,
  model: async () => (await import('./commands/model')).modelCommand,
  tasks: async () => (await import('./commands/tasks')).tasksCommand,
  eval: async () => (await import('./commands/eval')).evalCommand,
  gates: async () => (await import('./commands/gates')).gatesCommand,
  calibrate: async () => (await import('./commands/calibrate')).calibrateCommand,
  check: async () => (await import('./commands/check')).checkCommand,
};

const HELP = ['help', '--help', '-h'];

/** A whole command line, without the program's name. @returns the exit code */
export async function dispatch([name = 'help', ...args]: readonly string[]): Promise<number> {
  const isHelp = HELP.includes(name);
  const wanted = isHelp ? args[0] : name;
  if (wanted === undefined) {
    console.log(USAGE);
    return 0;
  }
  const load = Object.hasOwn(COMMANDS, wanted) ? COMMANDS[wanted] : undefined;
  if (load === undefined) {
    console.error(`unknown command: ${wanted}\n\n${USAGE}`);
    return 2;
  }
  return (await load())(isHelp ? ['--help'] : args);
}
