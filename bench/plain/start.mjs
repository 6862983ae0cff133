// Compiles and starts the server beside it, whose decorators Node does not know. It lands in dist/, from where it finds
// Keyway's packages and not those of the peers.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const { config } = ts.readConfigFile(
  fileURLToPath(new URL('../../tsconfig.json', import.meta.url)),
  ts.sys.readFile,
);
const target = new URL('../../dist/bench/plain/', import.meta.url);
mkdirSync(target, { recursive: true });
const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, '.');
for (const name of ['tables', 'loaders', 'server']) {
  const source = readFileSync(new URL(`${name}.ts`, import.meta.url), 'utf8');
  const compilerOptions = { ...options, module: ts.ModuleKind.ESNext };
  const { outputText } = ts.transpileModule(source, { fileName: `${name}.ts`, compilerOptions });
  writeFileSync(new URL(`${name}.js`, target), outputText);
}
await import(new URL('server.js', target).href);
