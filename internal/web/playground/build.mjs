// Builds ../assets/built from src/, openapi.yaml and the pinned packages. The
// same sources give the same bytes, so that make check-web can see stale files.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { findImportCycle } from './import-cycles.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, '../assets/built');
const packages = join(here, 'node_modules');

function run(program, ...args) {
  const { status, error } = spawnSync(program, args, { cwd: here, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

// GNU gzip, since its bytes do not change with Node's version.
function pack(from, to) {
  const { status, stdout, error } = spawnSync('gzip', ['-9', '-n', '-c', from], { maxBuffer: 1 << 26 });
  if (error || status !== 0) throw error ?? new Error(`gzip ${from}: exit ${status}`);
  writeFileSync(join(out, to), stdout);
}

// The licences of all packages whose code is served.
function licences(names) {
  return names.map((name) => {
    const folder = join(packages, name);
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const terms = readdirSync(folder).filter((file) => /^(licen[cs]e|notice)|-bundle\.js\.LICENSE/i.test(file)).sort()
      .filter((file) => !file.includes('es-bundle'))
      .map((file) => readFileSync(join(folder, file), 'utf8').trim());
    return `${name} ${version} (${license})\n\n${terms.join('\n\n')}\n`;
  }).join(`\n${'-'.repeat(72)}\n\n`);
}

const cycle = findImportCycle(join(here, 'src'));
if (cycle.length > 0) {
  console.error(`Import cycle in src: ${cycle.join(' → ')}`);
  process.exit(1);
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

run('node', 'node_modules/openapi-typescript/bin/cli.js', '../../../openapi.yaml', '-o', 'src/openapi.d.ts');
run('node', 'node_modules/typescript/bin/tsc');
const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: { playground: 'src/main.tsx', docs: 'src/styles/docs.css' },
  outdir: out,
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['es2022', 'chrome123', 'firefox121', 'safari17.5'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  charset: 'utf8',
  external: ['/docs/*'],
  legalComments: 'none',
  metafile: true,
});
pack(join(packages, 'swagger-ui-dist/swagger-ui.css'), 'swagger-ui.css.gz');
pack(join(packages, 'swagger-ui-dist/swagger-ui-bundle.js'), 'swagger-ui-bundle.js.gz');

const bundled = Object.keys(metafile.inputs)
  .map((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1])
  .filter((name) => name !== undefined);
writeFileSync(join(out, 'licenses.txt'), licences([...new Set([...bundled, 'swagger-ui-dist'])].sort()));
