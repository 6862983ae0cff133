/**
 * @slow 10 s
 * @embedded files that are loaded
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

// In a process of its own: here, other files may have loaded them.

/** Which packages of OpenTelemetry and of Prometheus are loaded after this was run, with Keyway as it is built. */
async function loadedBy(run: string): Promise<string[]> {
  const script = `
    import 'reflect-metadata';
    import { createRequire } from 'node:module';
    await (async () => { ${run} })();
    const { cache } = createRequire(process.cwd() + '/any.js');
    const names = Object.keys(cache).flatMap((path) => /node_modules\\/(@opentelemetry\\/[\\w-]+|prom-client)\\//.exec(path)?.[1] ?? []);
    console.log(JSON.stringify([...new Set(names)].sort()));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  return JSON.parse(stdout) as string[];
}

test('where nobody listens, nothing of it is loaded', async () => {
  expect(await loadedBy("await import('./dist/src/cli/main.js')")).toEqual([]);
  // Prometheus' own package has a use for the interfaces.
  const served = ['@opentelemetry/api', 'prom-client'];
  expect(await loadedBy("await import('./dist/src/http/metrics.js')")).toEqual(served);
  const tracing = await loadedBy("await import('./dist/src/telemetry/tracing.js')");
  expect(tracing).toContain('@opentelemetry/sdk-trace');
  const sending = await loadedBy("await import('./dist/src/telemetry/sent-metrics.js')");
  expect(sending).toContain('@opentelemetry/sdk-metrics');
  expect(sending).not.toContain('@opentelemetry/sdk-trace');
});
