// `npm run chaos [-- options]`: sets up, then disturbs runs in every way; options are said in chaos/main.mjs.
import { orExit, setUp, takePython } from "./setup.mjs";

const { python, rest } = await orExit(prepare);
const { main } = await import("../chaos/main.mjs");
process.exitCode = await main(python, rest);

async function prepare() {
  const { python: given, rest } = takePython(process.argv.slice(2));
  const { python } = await setUp({ python: given });
  return { python, rest };
}
