// docs.mjs [--write]: holds the code in the docs and the README to the files that
// the tests run. A block that follows <!-- PATH --> is that file,
// or after <!-- PATH from "TEXT" to "TEXT" --> the lines of it between the two.
// A block of shell is the command by which one of the tests generates. The
// tables must tell the versions that the tests pin.
import { readFileSync, writeFileSync } from "node:fs";

const root = new URL("../../", import.meta.url);
const block = /(<!-- (tests\/clients\/\S+)(?: from "(.+)" to "(.+)")? -->\n+```\w*\n)([^]*?)(```\n)/g;
let blocks = 0;
let stale = 0;
for (const name of ["README.md", "docs/clients.md", "docs/chatkit-js.md"]) {
  const text = readFileSync(new URL(name, root), "utf8");
  const fresh = text.replace(block, (all, head, path, from, to, body, tail) => {
    blocks += 1;
    const code = lines(path, from, to);
    if (code === body) return all;
    stale += 1;
    console.error(`${name}: the block of ${path} is not what the file says`);
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

function pins() {
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
  for (const [tool, version] of pins()) {
    const row = rows.find((line) => line.includes(tool));
    if (!row?.includes(version)) {
      stale += 1;
      console.error(`${name}: the table does not say ${tool} ${version}`);
    }
  }
}

// generates is the command of a client.sh as a reader types it.
function generates(client) {
  const script = readFileSync(new URL(`${client}/client.sh`, import.meta.url), "utf8");
  const document = "http://127.0.0.1:8080/openapi.yaml";
  const jar = `openapi-generator-cli-${new Map(pins()).get("openapi-generator")}.jar`;
  return /^step generate ((?:.*\\\n)*.*)$/m
    .exec(script)[1]
    .replace(/\\\n\s*/g, "")
    .replace("npx --no-install", "npx")
    .replace('"$CHATKIT_URL/openapi.yaml"', document)
    .replace(/^openapi_generator (\S+)/, `java -jar ${jar} generate -g $1 -i ${document} -o generated`);
}

const clients = ["openapi-typescript", "hey-api", "orval", "typescript-fetch", "python", "kotlin", "go"];
const typed = [...readFileSync(new URL("docs/clients.md", root), "utf8").matchAll(/```sh\n([^]*?)```\n/g)]
  .map(([, body]) => body.trim().replace(/\s*\\\n\s*/g, " "));
const wanted = clients.map(generates);
for (const command of [...wanted, ...typed]) {
  if (!wanted.includes(command) || !typed.includes(command)) {
    stale += 1;
    console.error(`docs/clients.md and the tests do not generate alike: ${command}`);
  }
}

if (blocks === 0) throw new Error("There is no block to hold.");
if (stale > 0) {
  if (process.argv[2] !== "--write") console.error("For the blocks, run: node tests/clients/docs.mjs --write");
  process.exitCode = 1;
}
