// Finds faults in generated code: names that a generator made up, and `any` or
// `unknown` where openapi.yaml has a type.
import { basename, extname } from "node:path";
import { typesOf } from "./types.mjs";

// The patterns of each language for a type, a field, and the type of any value.
export const languages = {
  ".ts": { names: /^export (?:declare )?(?:interface|type|class|enum|const|function) (\w+)/gm },
  ".py": { names: /^class (\w+)/gm, fields: /^ {4}(\w+): (.+)$/gm, anything: /\bAny\b/ },
  ".kt": { names: /^(?:data |sealed |enum )*(?:class|interface|object) (\w+)/gm, fields: /\bva[lr] (\w+): ([^=\n]+)/g, anything: /\bAny\b/ },
  ".go": { names: /^type (\w+)/gm, fields: /^\t(\w+) +([^`\n]+)`json/gm, anything: /\bany\b|interface\{\}/ },
};

// Names that generators make up for a type without a name, or with a name that is
// taken: InlineObject3, ThreadItemOneOf, ModelError, threadPeriodItem, Body1.
const badName = /Inline|OneOf|AnyOf|AllOf|Inner|^Model[A-Z]|Period|Underscore|[A-Za-z]_?(?<!Response)\d+$/;

// Members of enums and their values.
const members = /\b(\w+)(?::| =|\() ?['"]([a-z]+(?:[._][a-z]+)+)['"]/g;

// Fields that may have any type: the document has no more specific type, or the
// generator uses it for every union (Kotlin).
const allowed = [
  /\bThreadMetadata\b/,
  /^(Thread|ChatKitResponse)\.metadata$/i,
  /\.actualInstance$/,
  // orval's type of an object without fields.
  /^Create(Session|Thread)Request\b/,
  // Any JSON value, or a JSON object that the page or the tool defines.
  /\b(ClientToolCallItem\.(arguments|output)|UserMessageTagContent\.data|ClientTool\.parameters)$/i,
  /\b(ThreadAddClientToolOutputParams\.result|CustomAction\.payload)$/i,
  /\b(ClientToolCallItemArguments|UserMessageTagContentData|ClientToolParameters)$/,
  /\b(ThreadAddClientToolOutputParamsResult|CustomActionPayload)$/,
  // hey-api's options, which are not in the document.
  /^Options\b/,
];

/** complaints returns the faults of a generated file. */
export function complaints(path, text) {
  const language = languages[extname(path)];
  const found = [];
  for (const [, name] of text.matchAll(language.names)) {
    if (badName.test(name)) found.push(`the name ${name}`);
  }
  for (const [, name, value] of text.matchAll(members)) {
    const squashed = name.toLowerCase() === value.replace(/[._]/g, "") && !/[a-z][A-Z]/.test(name);
    if (badName.test(name) || squashed) found.push(`the enum member ${name} for ${value}`);
  }
  const fields = extname(path) === ".ts" ? typesOf(path, text) : fieldsOf(path, text, language);
  for (const field of fields) {
    // Names in Python have underscores, those in the other languages capitals.
    const names = [field, field.replaceAll("_", "")];
    if (!allowed.some((pattern) => names.some((name) => pattern.test(name)))) found.push(`${field} may be anything`);
  }
  return found;
}

function fieldsOf(path, text, { fields, anything }) {
  return [...text.matchAll(fields)]
    .filter(([, , type]) => anything.test(type))
    .map(([, name]) => `${basename(path, extname(path))}.${name}`);
}
