// dist/, compiled from src/, and the kernels' WebAssembly in it, from assembly/.
import fs from "node:fs";
import { dirname, join } from "node:path";
import { npmStamp } from "./npm.mjs";
import { compileFailure, toolFailure } from "./sentences.mjs";
import { step } from "./site.mjs";
import { filesUnder, hashTimes, readStamp, writeStamp } from "./stamps.mjs";

const SOURCES = ["src", "package.json", "tsconfig.json", "tsconfig.build.json"];

export async function buildDist(site) {
  await buildTypeScript(site);
  await buildKernels(site);
}

/** `tsc` where a source has changed since. Compiles in place: another process may be running what is there. */
async function buildTypeScript(site) {
  const dist = join(site.root, "dist");
  const main = join(dist, "cli", "main.js");
  const stamp = join(dist, ".ibatch-stamp");
  const wanted = () => hashTimes([...SOURCES.map((name) => join(site.root, name)), npmStamp(site.root)]);
  await step(
    site,
    "compiling TypeScript",
    () => fs.existsSync(main) && readStamp(stamp) === wanted(),
    async () => {
      const before = wanted();
      if (!fs.existsSync(main)) fs.rmSync(dist, { recursive: true, force: true });
      await compile(site);
      removeOrphans(dist, join(site.root, "src"));
      fs.chmodSync(main, 0o755);
      writeStamp(stamp, before);
    },
  );
}

/** `asc`, AssemblyScript's compiler, likewise. Under another name first: a process that loads them meanwhile finds the old or the new. */
async function buildKernels(site) {
  const file = join(site.root, "dist", "kernels", "kernels.wasm");
  const stamp = join(site.root, "dist", "kernels", ".ibatch-stamp");
  const wanted = () => hashTimes([join(site.root, "assembly"), npmStamp(site.root)]);
  await step(
    site,
    "compiling the kernels",
    () => fs.existsSync(file) && readStamp(stamp) === wanted(),
    async () => {
      const before = wanted();
      await compileKernels(site, `${file}.new`);
      fs.renameSync(`${file}.new`, file);
      writeStamp(stamp, before);
    },
  );
}

async function compileKernels(site, file) {
  const asc = join(site.root, "node_modules", "assemblyscript", "bin", "asc.js");
  const config = join(site.root, "assembly", "asconfig.json");
  fs.mkdirSync(dirname(file), { recursive: true });
  const result = await site.run(process.execPath, [asc, "--config", config, "--outFile", file]);
  if (result.code !== 0) throw toolFailure("asc", result, site);
}

async function compile(site) {
  const tsc = join(site.root, "node_modules", "typescript", "bin", "tsc");
  const result = await site.run(process.execPath, [tsc, "-p", "tsconfig.build.json"]);
  if (result.code === 0) return;
  throw /error TS\d+/.test(result.output) ? compileFailure(result.output, site.log) : toolFailure("tsc", result, site);
}

/** What tsc once wrote for a source that is gone would go on being found, and run. */
function removeOrphans(dist, src) {
  for (const file of filesUnder(dist)) {
    const source = file.replace(dist, src).replace(/\.(js|d\.ts)(\.map)?$/, ".ts");
    if (source.endsWith(".ts") && !fs.existsSync(source)) fs.rmSync(file);
  }
}
