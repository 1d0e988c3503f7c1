import { readdirSync, readFileSync } from 'node:fs';

function parentOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

/** Process ids of `root` and everything below it; empty where there is no /proc. */
export function processTree(root) {
  const children = new Map();
  let entries = [];
  try {
    entries = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
  for (const name of entries) {
    try {
      const parent = parentOf(name);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // The process ended between the listing and the read.
    }
  }
  const tree = [];
  const queue = [root];
  while (queue.length > 0) {
    const pid = queue.pop();
    tree.push(pid);
    queue.push(...(children.get(pid) ?? []));
  }
  return tree;
}

/**
 * Processor seconds that the threads of these processes have used so far, from schedstat
 * (nanosecond steps); undefined where the system has no such file. Unlike wall time it does not
 * move when something else runs on the machine.
 */
export function processorSeconds(pids) {
  let nanoseconds = 0;
  let found = false;
  for (const pid of pids) {
    let tasks = [];
    try {
      tasks = readdirSync(`/proc/${pid}/task`);
    } catch {
      continue;
    }
    for (const task of tasks) {
      try {
        const text = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8');
        nanoseconds += Number(text.split(' ')[0]);
        found = true;
      } catch {
        // A thread that ended takes its time with it; the pools measured here are long-lived.
      }
    }
  }
  return found ? nanoseconds / 1e9 : undefined;
}
