import { openAsBlob } from 'node:fs';
import { access, constants, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

type Attempt = 'read the file' | 'write the file';

const problem = (path: string, attempt: Attempt, code: string) =>
  new Error(`${path}: cannot ${attempt} (${code})`);

const failing =
  (path: string, attempt: Attempt) =>
  ({ code, message }: NodeJS.ErrnoException): never => {
    throw problem(path, attempt, code ?? message);
  };

/** @throws Error naming the file that cannot be read */
export async function readBytes(path: string): Promise<Buffer> {
  return readFile(path).catch(failing(path, 'read the file'));
}

/** A file that is read piece by piece. @throws Error naming the file that cannot be read */
export async function openFile(path: string): Promise<Blob> {
  const fail = failing(path, 'read the file');
  // A folder opens as a blob, and fails only where it is read, without a word on why.
  const found = await stat(path).catch(fail);
  if (found.isDirectory()) throw problem(path, 'read the file', 'EISDIR');
  await access(path, constants.R_OK).catch(fail);
  return openAsBlob(path);
}

/**
 * Says that a result cannot be written before the work that makes it.
 *
 * @throws Error naming the file
 */
export async function assertWritable(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) throw problem(path, 'write the file', 'EISDIR');
  const touched = found === undefined ? dirname(path) : path;
  await access(touched, constants.W_OK).catch(failing(path, 'write the file'));
}
