// Where cases are tried: each in a folder of its own, and held against the undisturbed run.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endAll } from "./leftovers.mjs";
import { Random } from "./random.mjs";
import { recordedIn } from "./recorded.mjs";
import { Scene } from "./scene.mjs";

/** How often a case is tried whose disturbance came too late, each time with other chance: no machine is always as fast. */
const MOST_TRIES = 4;

export class World {
  #folder;
  #options;
  #settings;
  #undisturbed;
  #shared = new Map();

  constructor(folder, options) {
    this.#folder = folder;
    this.#options = options;
    this.#settings = options.quick ? ["epochs=2"] : [];
  }

  /** The run that all others must equal: they may be made beside it. Where there is time, another one shows that it can be equalled. */
  undisturbed() {
    this.#undisturbed ??= this.#runUndisturbed();
    return this.#undisturbed;
  }

  async #runUndisturbed() {
    const first = this.#scene("undisturbed");
    await first.finish();
    const recorded = first.faults.length === 0 ? recordedIn(first.out) : undefined;
    const second = this.#scene("undisturbed-again", async () => recorded);
    if (!this.#options.quick && recorded !== undefined) await second.finish();
    const faults = [first, second].flatMap((scene) => scene.faults);
    for (const scene of [first, second]) if (scene.faults.length > 0) giveUp(scene);
    if (faults.length > 0) throw new Error(`the undisturbed run fails: ${faults.join("; ")}`);
    return { recorded, result: { name: "undisturbed", planned: [], ...resultOf(first) } };
  }

  /** What is thrown by a case is that case's failure. */
  async runCase(one) {
    for (let tries = 1; ; tries++) {
      const scene = this.#scene(`${one.name}${tries === 1 ? "" : `-${tries}`}`, () => this.#reference());
      await this.#try(one, scene, new Random(this.#options.seed, one.name, tries));
      const missed = missedOf(one.planned, scene.injected);
      const isRetried = scene.faults.length === 0 && missed > 0 && tries < MOST_TRIES;
      if (!isRetried && scene.faults.length === 0 && missed > 0)
        scene.faults.push(`${missed} of ${one.planned.length} came too late, in ${tries} tries`);
      if (scene.faults.length === 0) rmSync(scene.folder, { recursive: true, force: true });
      if (!isRetried) return { ...one, ...resultOf(scene), folder: scene.folder };
    }
  }

  async #try(one, scene, random) {
    try {
      await one.run(scene, random, (name, make) => this.#made(name, make));
    } catch (error) {
      scene.faults.push(error.stack);
    }
    if (scene.faults.length > 0) giveUp(scene);
  }

  async #reference() {
    return (await this.undisturbed()).recorded;
  }

  /** What several cases start from, by one that found its moments. */
  #made(name, make) {
    if (!this.#shared.has(name)) this.#shared.set(name, this.#make(name, make));
    return this.#shared.get(name);
  }

  async #make(name, make) {
    for (let tries = 1; ; tries++) {
      const scene = this.#scene(`${name}-${tries}`);
      const isMade = await make(scene, new Random(this.#options.seed, name, tries));
      if (isMade || scene.faults.length > 0 || tries === MOST_TRIES) return scene;
    }
  }

  #scene(name, reference) {
    const folder = join(this.#folder, name);
    mkdirSync(folder);
    return new Scene({ folder, python: this.#options.python, settings: this.#settings, reference });
  }
}

/** Ends what it started, and keeps what that said. */
function giveUp(scene) {
  endAll(scene.folder);
  writeFileSync(join(scene.folder, "said.txt"), `${scene.said.join("\n")}\n`);
}

const resultOf = (scene) => ({
  faults: scene.faults,
  injected: scene.injected,
  notes: scene.notes,
  commands: scene.commands,
  seconds: scene.seconds,
  resumed: scene.times(/ goes on from step \d+/),
  anew: scene.times(/begins anew/),
  unused: scene.times(/: it is not used$/),
});

/** How often something was planned and did not come about: more of another way makes up for nothing. */
function missedOf(planned, injected) {
  const left = new Map(injected);
  return planned.filter((way) => {
    const times = left.get(way) ?? 0;
    left.set(way, times - 1);
    return times <= 0;
  }).length;
}
