// names.mjs FOLDER: fails when the code generated there has something to complain of.
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { complaints, languages } from "./complaints.mjs";

// The folders of a client's own machinery: transport and JSON, nothing of the document.
const machinery = /\/(client|core|infrastructure|docs|test)\/|\/(runtime|setup|api_client|configuration|exceptions|rest|api_response)\.\w+$/;

function* files(folder) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && languages[extname(path)] && !machinery.test(path)) yield path;
  }
}

let looked = 0;
let bad = 0;
for (const path of files(process.argv[2])) {
  looked += 1;
  for (const complaint of complaints(path, readFileSync(path, "utf8"))) {
    bad += 1;
    console.error(`${path}: ${complaint}`);
  }
}
if (looked === 0) console.error(`${process.argv[2]}: there is no generated code to look at`);
process.exitCode = looked === 0 || bad > 0 ? 1 : 0;
