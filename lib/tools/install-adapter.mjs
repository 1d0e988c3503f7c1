import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ADAPTER_FOLDER } from './find-adapter.mjs';
import { runCommand } from './run-command.mjs';

const DAWN = 'webgpu@0.6.2';
const SOURCES = '/etc/apt/sources.list.d/debian.sources';

async function run(command, args) {
  const code = await runCommand(command, args, { cwd: ADAPTER_FOLDER });
  if (code !== 0) throw new Error(`${command} failed with exit code ${code}`);
}

/** Debian 12's own Mesa is too old for Dawn: its backports beside the mirror that is in use. */
function aptSources() {
  const text = existsSync(SOURCES) ? readFileSync(SOURCES, 'utf8') : '';
  const mirror = /^URIs:\s*(\S+)/m.exec(text)?.[1];
  const suite = /^Suites:\s*(\w+)/m.exec(text)?.[1];
  const key = /^Signed-By:\s*(\S+)/m.exec(text)?.[1];
  if (mirror === undefined || suite === undefined || key === undefined) {
    throw new Error(`no Debian mirror in ${SOURCES}: unpack Mesa 23 or later by hand`);
  }
  const suites = suite === 'bookworm' ? [suite, `${suite}-backports`] : [suite];
  return {
    lines: suites.map((each) => `deb [signed-by=${key}] ${mirror} ${each} main\n`).join(''),
    driver: `mesa-vulkan-drivers/${suites.at(-1)}`,
  };
}

/**
 * Fetches Dawn for Node and Debian's Mesa into the private folder: packages are downloaded and
 * unpacked, nothing is installed, so it needs no root and changes nothing of the system.
 */
export async function installAdapter() {
  const npm = join(ADAPTER_FOLDER, 'npm');
  mkdirSync(npm, { recursive: true });
  writeFileSync(join(npm, 'package.json'), '{ "private": true }\n');
  await run('npm', [
    'install',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    '--prefix',
    npm,
    DAWN,
  ]);
  if (process.platform !== 'linux') return;

  const apt = join(ADAPTER_FOLDER, 'apt');
  const driver = join(ADAPTER_FOLDER, 'driver');
  for (const folder of ['lists/partial', 'archives/partial']) {
    mkdirSync(join(apt, folder), { recursive: true });
  }
  const sources = aptSources();
  writeFileSync(join(apt, 'sources.list'), sources.lines);
  const options = {
    'Dir::Etc::sourcelist': join(apt, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::State::lists': join(apt, 'lists'),
    'Dir::Cache': apt,
    'APT::Sandbox::User': '',
    'Debug::NoLocking': 'true',
  };
  const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  await run('apt-get', [...flags, '-q', 'update']);
  await run('apt-get', [
    ...flags,
    ...['-q', '-y', '--download-only', '--no-install-recommends'],
    ...['install', sources.driver, 'libvulkan1'],
  ]);
  for (const name of readdirSync(join(apt, 'archives'))) {
    if (name.endsWith('.deb')) {
      execFileSync('dpkg-deb', ['-x', join(apt, 'archives', name), driver]);
    }
  }
}
