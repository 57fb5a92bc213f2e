// Asks the official AsyncAPI parser whether the description of the bus is valid.
//
//   npm ci && npm test
//
// Prints each diagnostic; exit code 1 when there is an error, or a warning other than "a newer version exists".
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { DiagnosticSeverity, Parser } from "@asyncapi/parser";

const file = process.argv[2] ?? fileURLToPath(new URL("../../schemas/asyncapi.json", import.meta.url));
const { document, diagnostics } = await new Parser().parse(await readFile(file, "utf8"), { source: file });

const isNewsOnly = (diagnostic) => diagnostic.code === "asyncapi-latest-version";
for (const { code, message, path, severity } of diagnostics) {
  console.log(`${DiagnosticSeverity[severity].toLowerCase()} ${code} at /${path.join("/")}: ${message}`);
}
const grave = diagnostics.filter((d) => d.severity <= DiagnosticSeverity.Warning && !isNewsOnly(d));
if (!document || grave.length > 0) {
  console.error(`${file}: refused by the AsyncAPI parser`);
  process.exit(1);
}
const count = (list) => list.all().length;
console.log(
  `${file}: valid AsyncAPI ${document.version()}, ` +
    `${count(document.channels())} channels, ${count(document.operations())} operations, ${count(document.messages())} messages`,
);
