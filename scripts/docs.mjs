/** `npm run docs`: writes docs/CONFIG.md from the schema, the tables and the backend's catalogue. Needs `npm run setup`. */
import { writeFileSync } from "node:fs";
import { configReference } from "../dist/config/config-reference.js";
import { openChosenBackend } from "../dist/launch/chosen-backend.js";

const backend = await openChosenBackend({ device: "cpu" }, { signal: new AbortController().signal });
try {
  writeFileSync(new URL("../docs/CONFIG.md", import.meta.url), configReference(backend.client.introduction.catalogue));
} finally {
  await backend.stop();
}
