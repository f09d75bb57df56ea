// The npm packages, as package-lock.json has them.
import fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { nothingCameThrough } from "./failures.mjs";
import { toolFailure } from "./sentences.mjs";
import { step } from "./site.mjs";
import { hashContents, readStamp, writeStamp } from "./stamps.mjs";

/** `npm ci` where node_modules is missing, was made on another kind of machine, or from another lock. */
export async function installNpmPackages(site) {
  const stamp = npmStamp(site.root);
  const wanted = `${process.platform} ${process.arch} ${hashContents([join(site.root, "package-lock.json")])}`;
  await step(
    site,
    "installing npm packages",
    () => readStamp(stamp) === wanted,
    async () => {
      const [command, ...args] = npmCommand(site.env);
      // tsc and vitest are development packages: wanted here even where NODE_ENV or a setting leaves such out.
      const ci = ["ci", "--include=dev", "--loglevel=http"];
      const result = await site.run(command, [...args, ...ci], { giveUp: isOffline });
      if (result.code !== 0) throw toolFailure("npm", result, site);
      writeStamp(stamp, wanted);
    },
  );
}

export function npmStamp(root) {
  return join(root, "node_modules", ".ibatch-stamp");
}

/** Without a network npm tries for 70 s, or as long again for each package; a second failure after 10 s says it too. */
function isOffline(output) {
  return /attempt 2 failed with/.test(output) && nothingCameThrough(output);
}

/** On Windows npm is a .cmd file, which cannot be started without a shell; its JavaScript can, everywhere. */
function npmCommand(env) {
  const running = env.npm_execpath;
  if (running && basename(running) === "npm-cli.js") return [process.execPath, running];
  const shipped = join(dirname(process.execPath), "node_modules", "npm", "bin", "npm-cli.js");
  return process.platform === "win32" && fs.existsSync(shipped) ? [process.execPath, shipped] : ["npm"];
}
