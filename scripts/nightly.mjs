// `npm run nightly`: sets up, and runs what `npm test` leaves out. Its last line is `N passed, N failed`.
//   npm run nightly [-- [ray | pack | full] [arguments for vitest]] [--python PATH]
// `ray` installs Ray into an environment of its own beside .venv and runs the tests that need it; `pack` packs, unpacks and
// runs the archive for machines without network; `full` is all of the tests that `npm test` takes a share of. All where none is named.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { countVitest, judge, summary } from "./reports.mjs";
import { toolFailure } from "./setup/sentences.mjs";
import { createSite, ROOT } from "./setup/site.mjs";
import { hashContents, readStamp, writeStamp } from "./setup/stamps.mjs";
import { orExit, setUp, takePython } from "./setup.mjs";

const REQUIREMENTS = join(ROOT, "requirements-ray.txt");
const FOLDER = join(ROOT, ".setup", "ray-venv");
const REPORT = join(ROOT, ".setup", "vitest-nightly.json");

const GROUPS = { ray: ["ray"], pack: ["pack"], full: ["full", "full-processes"] };

const { env, projects, rest } = await orExit(prepare, () =>
  console.log(summary([{ passed: 0, failed: 1, skipped: 0 }])),
);
fs.rmSync(REPORT, { force: true });
const { status } = spawnSync(
  process.execPath,
  [
    ...["node_modules/vitest/vitest.mjs", "run", "--config", "vitest.nightly.config.ts"],
    ...projects.flatMap((project) => ["--project", project]),
    ...["--reporter=default", "--reporter=json", `--outputFile.json=${REPORT}`, ...rest],
  ],
  { cwd: ROOT, stdio: "inherit", env: { ...process.env, ...env, OMP_NUM_THREADS: "1" } },
);
const judged = judge(countVitest(readStamp(REPORT)), status);
console.log(summary([judged]));
process.exitCode = judged.failed > 0 ? 1 : 0;

async function prepare() {
  const { python: given, rest: asked } = takePython(process.argv.slice(2));
  const [group, ...more] = asked;
  const isNamed = group !== undefined && Object.hasOwn(GROUPS, group);
  const groups = isNamed ? [group] : Object.keys(GROUPS);
  const { python } = await setUp({ python: given, dev: true });
  const ray = groups.includes("ray") ? { IBATCH_RAY_PYTHON: await withRay(python) } : {};
  return {
    env: { IBATCH_PYTHON: python, ...ray },
    projects: groups.flatMap((name) => GROUPS[name]),
    rest: isNamed ? more : asked,
  };
}

/** An environment that has what this Python has, and Ray, which is installed there alone. */
async function withRay(python) {
  const site = createSite();
  const own = join(FOLDER, "bin", "python");
  const stamp = join(FOLDER, ".ibatch-stamp");
  const wanted = `${python} ${hashContents([REQUIREMENTS])}`;
  if (readStamp(stamp) === wanted) return own;
  const tell = async (command, args) => {
    const result = await site.run(command, args);
    if (result.code !== 0) throw toolFailure(`${command} ${args.slice(0, 3).join(" ")}`, result, site);
    return result.output;
  };
  fs.rmSync(FOLDER, { recursive: true, force: true });
  await tell(python, ["-m", "venv", FOLDER]);
  const packages = await tell(python, ["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]);
  const ours = await tell(own, ["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]);
  fs.writeFileSync(join(ours.trim(), "beside.pth"), packages);
  const quietly = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"];
  await tell(own, ["-m", "pip", "install", ...quietly, "-r", REQUIREMENTS]);
  writeStamp(stamp, wanted);
  return own;
}
