// What to complain of in generated code: a name that nobody would have chosen,
// and `any` or `unknown` where openapi.yaml knows the type.
import { basename, extname } from "node:path";
import { typesOf } from "./types.mjs";

// How each language declares a type, a field of one, and says "anything".
export const languages = {
  ".ts": { names: /^export (?:declare )?(?:interface|type|class|enum|const|function) (\w+)/gm },
  ".py": { names: /^class (\w+)/gm, fields: /^ {4}(\w+): (.+)$/gm, anything: /\bAny\b/ },
  ".kt": { names: /^(?:data |sealed |enum )*(?:class|interface|object) (\w+)/gm, fields: /\bva[lr] (\w+): ([^=\n]+)/g, anything: /\bAny\b/ },
  ".go": { names: /^type (\w+)/gm, fields: /^\t(\w+) +([^`\n]+)`json/gm, anything: /\bany\b|interface\{\}/ },
};

// What generators call things that have no name of their own, or whose name is
// taken: InlineObject3, ThreadItemOneOf, ModelError, threadPeriodItem, Body1.
const badName = /Inline|OneOf|AnyOf|AllOf|Inner|^Model[A-Z]|Period|Underscore|[A-Za-z]_?(?<!Response)\d+$/;

// Members of enums, and what they stand for.
const members = /\b(\w+)(?::| =|\() ?['"]([a-z]+(?:[._][a-z]+)+)['"]/g;

// Where anything may come: the document says no more, or the generator writes
// every union so and the reader asks for the class inside (Kotlin).
const allowed = [
  /\bThreadMetadata\b/,
  /^(Thread|ChatKitResponse)\.metadata$/i,
  /\.actualInstance$/,
  // An object without fields, in orval's words.
  /^Create(Session|Thread)Request\b/,
  // "Any JSON", or a JSON object of the page's or the tool's own.
  /\b(ClientToolCallItem\.(arguments|output)|UserMessageTagContent\.data|ClientTool\.parameters)$/i,
  /\b(ThreadAddClientToolOutputParams\.result|CustomAction\.payload)$/i,
  /\b(ClientToolCallItemArguments|UserMessageTagContentData|ClientToolParameters)$/,
  /\b(ThreadAddClientToolOutputParamsResult|CustomActionPayload)$/,
  // hey-api's own options, which are no part of the document.
  /^Options\b/,
];

/** complaints gives what is wrong with one generated file. */
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
    // Python's files have underscores where the others have capitals.
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
