// `npm run pack`: one archive for a machine that has torch, and neither Node nor a network. `-- --help` has its options.
import { spawn } from "node:child_process";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { contents, digitsFiles } from "./pack/contents.mjs";
import { lookAtNode, stripped } from "./pack/node-binary.mjs";
import { archiveName, folderName, HELP, readOptions } from "./pack/options.mjs";
import { sizes, tooLarge } from "./pack/sizes.mjs";
import { fetchWheels } from "./pack/wheels.mjs";
import { SetupError } from "./setup/failures.mjs";
import { createSite, ROOT } from "./setup/site.mjs";
import { orExit, setUp } from "./setup.mjs";

await orExit(async () => {
  const options = readOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(HELP);
  else await pack(options);
});

async function pack(options) {
  const site = createSite();
  const { python } = await setUp({ python: options.python });
  const node = await lookAtNode(fs.realpathSync(options.node ?? process.execPath), site.run);
  const pythonVersions =
    options.pythonVersions.length > 0 ? options.pythonVersions : [await versionOf(python, site.run)];
  const { version } = JSON.parse(fs.readFileSync(join(ROOT, "package.json"), "utf8"));
  const output = resolve(options.output ?? `${archiveName({ version, arch: node.arch, pythonVersions })}.tar.xz`);
  const folder = fs.mkdtempSync(join(tmpdir(), "ibatch-pack-"));
  try {
    const wheels = await fetchWheels({
      ...options,
      ...site,
      root: ROOT,
      python,
      machine: node.machine,
      pythonVersions,
      folder,
    });
    const parts = contents({
      ...{ root: ROOT, wheels, folder, folders: options.folders },
      node: { ...node, program: await stripped(node, folder, site.run) },
      digits: await digitsFiles(python, site.run),
      about: { version, pythonVersions, commit: await commit(site.run) },
    });
    const written = await write(python, {
      ...{ folder: folderName(output), output: `${output}.new`, parts },
      ...{ machine: node.machine, time: await commitTime(site.run) },
    });
    process.stdout.write(sizes(written));
    const refusal = tooLarge(written, options.mostMiB);
    if (refusal) throw new SetupError(refusal, 1);
    fs.renameSync(`${output}.new`, output);
    process.stdout.write(`${output}\n`);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
    fs.rmSync(`${output}.new`, { force: true });
  }
}

async function versionOf(python, run) {
  const { output } = await run(python, ["-c", "import sys; print('is 3.%d' % sys.version_info[1])"]);
  return output.match(/^is (3\.\d+)$/m)[1];
}

/** Null where there is no git, or this is no clone. */
async function commit(run) {
  const head = await run("git", ["rev-parse", "HEAD"]);
  if (head.code !== 0) return null;
  const { output } = await run("git", ["status", "--porcelain", "--untracked-files=no"]);
  return head.output.trim() + (output === "" ? "" : "+changes");
}

/** Seconds since 1970: the same for the same commit, and another for another, so that Python takes no old bytecode. */
async function commitTime(run) {
  const { code, output } = await run("git", ["show", "--no-patch", "--format=%ct", "HEAD"]);
  return code === 0 ? Number(output) : 0;
}

/** Python compresses: it needs neither tar nor xz, and gives the same bytes everywhere. */
function write(python, asked) {
  const child = spawn(python, [join(ROOT, "scripts", "pack", "archive.py")], { stdio: ["pipe", "pipe", "inherit"] });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  child.stdin.end(JSON.stringify(asked));
  return new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", (code) => {
      if (code === 0) done(JSON.parse(said));
      else
        fail(new SetupError(`the archive could not be written (exit code ${code}, see above). Expected: room for it.`));
    });
  });
}
