// Runs cases side by side, each against the undisturbed run, and says how each ended.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backendCases } from "./kinds/backend.mjs";
import { controllerCases } from "./kinds/controller.mjs";
import { damageCases } from "./kinds/damage.mjs";
import { diskCases } from "./kinds/disk.mjs";
import { stopCases } from "./kinds/stop.mjs";
import { failedOf } from "./page.mjs";
import { recordedIn } from "./recorded.mjs";
import { Scene } from "./scene.mjs";

export const KINDS = {
  backend: backendCases,
  controller: controllerCases,
  damage: damageCases,
  stop: stopCases,
  disk: diskCases,
};

/** How often a case is tried again whose disturbance came too late: the machine is not always as fast. */
const MOST_TRIES = 4;

/**
 * @param {{ python: string, seed: number, quick: boolean, only?: string[], cases?: string[], lanes: number }} options
 * @param {(line: string) => void} say
 */
export async function runChaos(options, say) {
  const folder = mkdtempSync(join(tmpdir(), "ibc-")); // short: a socket's path has about 100 bytes
  const world = new World(folder, options);
  try {
    const reference = await world.undisturbed();
    const planned = plannedCases(options);
    const ended = await inLanes(options.lanes, planned, async (one) => {
      const result = one.skipped === undefined ? await world.runCase(one) : one;
      say(lineOf(result, options));
      return result;
    });
    const results = [reference, ...ended];
    if (failedOf(results) === 0) rmSync(folder, { recursive: true });
    return results;
  } catch (error) {
    say(`what was made is in ${folder}`);
    throw error;
  }
}

function plannedCases(options) {
  const kinds = options.only ?? Object.keys(KINDS);
  const all = kinds.flatMap((kind) => KINDS[kind](options).map((one) => ({ ...one, kind })));
  return options.cases === undefined ? all : all.filter(({ name }) => options.cases.includes(name));
}

class World {
  #folder;
  #options;
  #settings;
  #reference;
  #shared = new Map();

  constructor(folder, options) {
    this.#folder = folder;
    this.#options = options;
    this.#settings = options.quick ? ["epochs=2"] : [];
  }

  /** The run that all others must equal; where there is time, another one to see that it can be equalled. */
  async undisturbed() {
    const first = this.#scene("undisturbed");
    await first.finish();
    this.#reference = recordedIn(first.out);
    const second = this.#scene("undisturbed-again", this.#reference);
    if (!this.#options.quick) await second.finish();
    const faults = [...first.faults, ...second.faults];
    if (faults.length > 0) throw new Error(`the undisturbed run fails: ${faults.join("; ")}`);
    return { name: "undisturbed", planned: [], ...resultOf(first) };
  }

  async runCase(one) {
    for (let tries = 1; ; tries++) {
      const scene = this.#scene(`${one.name}${tries === 1 ? "" : `-${tries}`}`, this.#reference);
      await one.run(scene, (name, make) => this.#made(name, make));
      if (scene.faults.length === 0) {
        const missed = one.planned.length - sum(scene.injected);
        rmSync(scene.folder, { recursive: true, force: true });
        if (missed > 0 && tries < MOST_TRIES) continue;
        if (missed > 0) scene.faults.push(`${missed} of ${one.planned.length} came too late, in ${tries} tries`);
      }
      return { ...one, ...resultOf(scene), folder: scene.folder };
    }
  }

  /** What several cases start from. */
  #made(name, make) {
    const before = this.#shared.get(name);
    if (before !== undefined) return before;
    const making = (async () => {
      const scene = this.#scene(name);
      await make(scene);
      return scene;
    })();
    this.#shared.set(name, making);
    return making;
  }

  #scene(name, reference) {
    const folder = join(this.#folder, name);
    mkdirSync(folder);
    const mark = `${this.#folder}/${name}`;
    return new Scene({ folder, mark, python: this.#options.python, settings: this.#settings, reference });
  }
}

const resultOf = (scene) => ({
  faults: scene.faults,
  injected: scene.injected,
  commands: scene.commands,
  seconds: scene.seconds,
  resumed: scene.times(/ goes on from step \d+/),
  anew: scene.times(/begins anew/),
  unused: scene.times(/: it is not used$/),
});

const sum = (counts) => [...counts.values()].reduce((total, count) => total + count, 0);

function lineOf({ name, what, faults = [], skipped, commands, seconds, folder }, { seed, quick }) {
  if (skipped !== undefined) return `skipped  ${name}: ${what}: ${skipped}`;
  const how = `${name}: ${what} (${commands} commands, ${seconds.toFixed(0)} s)`;
  if (faults.length === 0) return `ok       ${how}`;
  const again = `npm run chaos -- --seed ${seed} --case ${name}${quick ? " --quick" : ""}`;
  return [
    `FAILED   ${how}`,
    ...faults.map((fault) => `         ${fault}`),
    `         kept: ${folder}`,
    `         again: ${again}`,
  ].join("\n");
}

/** Results in the order of the cases. */
async function inLanes(lanes, cases, run) {
  const results = [];
  let next = 0;
  const lane = async () => {
    while (next < cases.length) {
      const at = next++;
      results[at] = await run(cases[at]);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}
