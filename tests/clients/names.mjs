// names.mjs FOLDER: fails if the generated code in the folder has faults; see complaints.mjs.
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { complaints, languages } from "./complaints.mjs";

// Files for transport and JSON, which are not generated from the document.
const infrastructure = /\/(client|core|infrastructure|docs|test)\/|\/(runtime|setup|api_client|configuration|exceptions|rest|api_response)\.\w+$/;

function* files(folder) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && languages[extname(path)] && !infrastructure.test(path)) yield path;
  }
}

let checked = 0;
let bad = 0;
for (const path of files(process.argv[2])) {
  checked += 1;
  for (const complaint of complaints(path, readFileSync(path, "utf8"))) {
    bad += 1;
    console.error(`${path}: ${complaint}`);
  }
}
if (checked === 0) console.error(`${process.argv[2]}: there is no generated code`);
process.exitCode = checked === 0 || bad > 0 ? 1 : 0;
