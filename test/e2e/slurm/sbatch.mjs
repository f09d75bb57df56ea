// A stand-in for Slurm's sbatch: puts a job into the queue, and says its number. What it does not know it refuses.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const KNOWN = ["array", "cpus-per-task", "dependency", "job-name", "no-requeue", "open-mode", "output", "parsable"];
const ALSO = ["requeue", "signal", "time", "wrap"];

const argv = process.argv.slice(2);
const first = argv.findIndex((word) => !word.startsWith("--"));
const [words, [path, ...args]] = first < 0 ? [argv, []] : [argv.slice(0, first), argv.slice(first)];
const given = optionsOf(words);
const script = given.wrap === undefined ? readFileSync(path, "utf8") : `#!/bin/sh\n${given.wrap}\n`;
const options = { ...optionsOf(directives(script)), ...given };

const queue = join(process.env.STAND_IN_FOR_SLURM, "queue");
const id = 1000 * (readdirSync(queue).length + 1);
const job = { id, script, args, options, directory: process.cwd(), environment: process.env };
writeFileSync(join(queue, `${id}.json`), JSON.stringify(job));
console.log(options.parsable === undefined ? `Submitted batch job ${id}` : id);

/** Those before the script's first command. */
function directives(text) {
  const lines = text.split("\n");
  const end = lines.findIndex((line) => line !== "" && !line.startsWith("#"));
  return lines.slice(0, end).flatMap((line) => /^#SBATCH (.*)$/.exec(line)?.[1].trim().split(/\s+/) ?? []);
}

function optionsOf(words) {
  return Object.fromEntries(
    words.map((word) => {
      const [, name, value = ""] = /^--([a-z-]+)(?:=([\s\S]+))?$/.exec(word) ?? [];
      if (![...KNOWN, ...ALSO].includes(name)) throw new Error(`the stand-in for sbatch does not know ${word}`);
      return [name, value];
    }),
  );
}
