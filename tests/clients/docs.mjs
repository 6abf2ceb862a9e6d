// docs.mjs [--write]: checks that the code in the docs and the README is that of
// the tested files; --write updates the docs. A block after <!-- PATH --> is the
// file; a block after <!-- PATH from "TEXT" to "TEXT" --> is the part of the file
// between the two lines, inclusive. A block of shell is the command with which a
// test generates its client. The tables must have the versions that the tests use.
import { readFileSync, writeFileSync } from "node:fs";

const root = new URL("../../", import.meta.url);
const block = /(<!-- (tests\/clients\/\S+)(?: from "(.+)" to "(.+)")? -->\n+```\w*\n)([^]*?)(```\n)/g;
let blocks = 0;
let failures = 0;
for (const name of ["README.md", "docs/api.md", "docs/clients.md", "docs/chatkit-js.md"]) {
  const text = readFileSync(new URL(name, root), "utf8");
  const fresh = text.replace(block, (all, head, path, from, to, body, tail) => {
    blocks += 1;
    const code = lines(path, from, to);
    if (code === body) return all;
    failures += 1;
    console.error(`${name}: the block of ${path} differs from the file`);
    return head + code + tail;
  });
  if (process.argv[2] === "--write") writeFileSync(new URL(name, root), fresh);
}

function lines(path, from, to) {
  const code = readFileSync(new URL(path, root), "utf8");
  if (!from) return code;
  const all = code.split("\n");
  const first = all.findIndex((line) => line.includes(from));
  const last = all.findIndex((line, i) => i >= first && line.includes(to));
  if (first < 0 || last < 0) throw new Error(`${path} has no lines from "${from}" to "${to}"`);
  return all.slice(first, last + 1).join("\n") + "\n";
}

function versions() {
  const read = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
  const packages = ["openapi-typescript", "hey-api", "orval"].map((client) => JSON.parse(read(`${client}/package.json`)));
  return [
    ...packages.flatMap((one) => Object.entries({ ...one.dependencies, ...one.devDependencies })),
    ["openapi-generator", /^openapi_generator_version=(.+)$/m.exec(read("run.sh"))[1]],
    ["oapi-codegen", /oapi-codegen\/oapi-codegen\/v2 v(\S+)/.exec(read("go/go.mod"))[1]],
  ];
}

for (const name of ["README.md", "docs/clients.md"]) {
  const rows = readFileSync(new URL(name, root), "utf8").split("\n").filter((line) => line.startsWith("| "));
  for (const [tool, version] of versions()) {
    const row = rows.find((line) => line.includes(tool));
    if (!row?.includes(version)) {
      failures += 1;
      console.error(`${name}: the table does not have ${tool} ${version}`);
    }
  }
}

// generateCommand returns the command of a client.sh as a user types it.
function generateCommand(client) {
  const script = readFileSync(new URL(`${client}/client.sh`, import.meta.url), "utf8");
  const document = "http://127.0.0.1:8080/openapi.yaml";
  const jar = `openapi-generator-cli-${new Map(versions()).get("openapi-generator")}.jar`;
  return /^step generate ((?:.*\\\n)*.*)$/m
    .exec(script)[1]
    .replace(/\\\n\s*/g, "")
    .replace("npx --no-install", "npx")
    .replace('"$CHATKIT_URL/openapi.yaml"', document)
    .replace(/^openapi_generator (\S+)/, `java -jar ${jar} generate -g $1 -i ${document} -o generated`);
}

const clients = ["openapi-typescript", "hey-api", "orval", "typescript-fetch", "python", "kotlin", "go"];
const documented = [...readFileSync(new URL("docs/clients.md", root), "utf8").matchAll(/```sh\n([^]*?)```\n/g)]
  .map(([, body]) => body.trim().replace(/\s*\\\n\s*/g, " "));
const tested = clients.map(generateCommand);
for (const command of [...tested, ...documented]) {
  if (!tested.includes(command) || !documented.includes(command)) {
    failures += 1;
    console.error(`only one of docs/clients.md and the tests has the command: ${command}`);
  }
}

if (blocks === 0) throw new Error("The documents have no block to check.");
if (failures > 0) {
  if (process.argv[2] !== "--write") console.error("To update the blocks, run: node tests/clients/docs.mjs --write");
  process.exitCode = 1;
}
