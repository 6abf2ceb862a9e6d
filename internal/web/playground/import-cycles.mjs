// Finds import cycles between the source files. Type imports count too: they
// do no harm at run time, but files that need each other cannot be read alone.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const isSource = (name) => /\.tsx?$/.test(name) && !name.endsWith('.d.ts');

function importsOf(folder, file) {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(folder, file), 'utf8'), true, true);
  return importedFiles.flatMap(({ fileName }) => ['.ts', '.tsx']
    .map((extension) => join(fileName) + extension)
    .filter((name) => fileName.startsWith('./') && existsSync(join(folder, name))));
}

/** Returns the files of one import cycle in a folder, or an empty list. */
export function findImportCycle(folder) {
  const done = new Set();
  const search = (file, path) => {
    const start = path.indexOf(file);
    if (start >= 0) return [...path.slice(start), file];
    if (done.has(file)) return [];
    for (const next of importsOf(folder, file)) {
      const cycle = search(next, [...path, file]);
      if (cycle.length > 0) return cycle;
    }
    done.add(file);
    return [];
  };
  for (const file of readdirSync(folder).filter(isSource).sort()) {
    const cycle = search(file, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}
