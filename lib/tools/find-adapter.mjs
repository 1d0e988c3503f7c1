import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './paths.mjs';

/** Folder that `installAdapter` fills: packages under `npm`, a Vulkan driver under `driver`. */
export const ADAPTER_FOLDER = join(ROOT, 'node_modules/.cache/adapter');

const DRIVER_FOLDERS = [
  join(ADAPTER_FOLDER, 'driver/usr/share/vulkan/icd.d'),
  '/usr/share/vulkan/icd.d',
  '/usr/local/share/vulkan/icd.d',
  '/etc/vulkan/icd.d',
];
/** Mesa's software driver: another subgroup size than SwiftShader's, and 16-bit floats. */
const DRIVER_FILE = /^lvp_icd.*\.json$/;

/** Entry file of the package `webgpu` (Dawn for Node): the HEADROOM_DAWN folder, the packages here, the private folder. */
function findDawn() {
  const named = process.env.HEADROOM_DAWN ?? '';
  if (named !== '' && !existsSync(join(named, 'index.js'))) {
    throw new Error(`invalid HEADROOM_DAWN: ${named} (expected the folder of the package webgpu)`);
  }
  if (named !== '') return resolve(named, 'index.js');
  for (const from of [ROOT, join(ADAPTER_FOLDER, 'npm/')]) {
    try {
      return createRequire(join(from, 'package.json')).resolve('webgpu');
    } catch {
      // Not there: the next place.
    }
  }
  return undefined;
}

/** Vulkan driver file: the loader's own variables, then the usual places. */
function findDriver() {
  for (const name of ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES']) {
    const path = process.env[name] ?? '';
    if (path === '') continue;
    if (!existsSync(path)) throw new Error(`invalid ${name}: ${path} (expected a driver file)`);
    return resolve(path);
  }
  for (const folder of DRIVER_FOLDERS) {
    const file = existsSync(folder) && readdirSync(folder).find((each) => DRIVER_FILE.test(each));
    if (file) return join(folder, file);
  }
  return undefined;
}

/** Where a driver file's library and the Vulkan loader may lie: beside it, or under its prefix. */
function libraryFolders(driver) {
  const beside = dirname(driver);
  const prefix = resolve(beside, '../../..');
  const folders = [beside, join(prefix, 'lib')];
  if (existsSync(join(prefix, 'lib'))) {
    for (const name of readdirSync(join(prefix, 'lib'))) {
      if (name.endsWith('-linux-gnu')) folders.push(join(prefix, 'lib', name));
    }
  }
  return folders;
}

/**
 * A WebGPU for Node that a child process can open: the package's URL and the variables under which
 * its driver is found; or a sentence that says what is missing.
 * @returns {{ dawn: string, env: Record<string, string> } | { missing: string }}
 */
export function findAdapter() {
  const dawn = findDawn();
  if (dawn === undefined) {
    return {
      missing:
        'the package webgpu (Dawn for Node) is not installed: set HEADROOM_DAWN to its folder, or HEADROOM_INSTALL_ADAPTER=1 to fetch it into node_modules/.cache',
    };
  }
  // Elsewhere Dawn speaks to the system's own Metal or Direct3D.
  if (process.platform !== 'linux') return { dawn: pathToFileURL(dawn).href, env: {} };
  const driver = findDriver();
  if (driver === undefined) {
    return {
      missing:
        "no Vulkan driver file of Mesa's llvmpipe (lvp_icd*.json): set VK_DRIVER_FILES to one, or HEADROOM_INSTALL_ADAPTER=1 to unpack Debian's into node_modules/.cache",
    };
  }
  const before = process.env.LD_LIBRARY_PATH ?? '';
  return {
    dawn: pathToFileURL(dawn).href,
    env: {
      // llvmpipe takes seconds to minutes to optimise an unrolled kernel.
      GALLIVM_PERF: 'nopt',
      VK_DRIVER_FILES: driver,
      // The name that older loaders read.
      VK_ICD_FILENAMES: driver,
      LD_LIBRARY_PATH: [...libraryFolders(driver), ...(before === '' ? [] : [before])].join(
        delimiter,
      ),
    },
  };
}
