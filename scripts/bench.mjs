// `npm run bench -- kernels [options]`: sets up, then measures; what each benchmark does is said in bench/<name>/main.mjs.
import { wrongArguments } from "./setup/sentences.mjs";
import { orExit, setUp, takePython } from "./setup.mjs";

const BENCHMARKS = ["kernels", "checkpoint", "online", "jobs", "scale", "training", "equivalence"];

const { name, python, rest } = await orExit(prepare);
const { main } = await import(`../bench/${name}/main.mjs`);
await main(python, rest);

async function prepare() {
  const { python: given, rest: args } = takePython(process.argv.slice(2));
  const [name, ...rest] = args;
  if (!BENCHMARKS.includes(name)) {
    throw wrongArguments(
      name ? `unknown benchmark ${name}` : "no benchmark named",
      `${BENCHMARKS.join(" | ")} [--python PATH] [options]`,
    );
  }
  const { python } = await setUp({ python: given });
  return { name, python, rest };
}
