import { spawn } from 'node:child_process';
import type { TestServer } from './server.js';

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the command line in a process of its own on the server's data, and waits for its end. */
export async function command({ environment }: TestServer, ...args: string[]): Promise<Ended> {
  const { PATH } = process.env;
  const child = spawn(process.execPath, ['bin/keyway.js', ...args], { env: { ...environment, PATH } });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, stdout, stderr };
}
