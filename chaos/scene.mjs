// One case: a directory in which commands are given and disturbed until one ends with 0, and what must hold then.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { armsIn, resumableIn, Watch } from "./checkpoints.mjs";
import { Command } from "./command.mjs";
import { endProcesses, leftBehind } from "./leftovers.mjs";
import { differencesFrom, wronglyResumed } from "./recorded.mjs";
import { goneOnElsewhere, resumedSteps } from "./told.mjs";

/** Between two looks at checkpoints, in milliseconds: to train what was lost once more takes longer. */
const LOOK = 3;

export class Scene {
  /** What was done, by the row of the table that counts it. */
  injected = new Map();
  commands = 0;
  seconds = 0;
  /** Of all commands, line by line. */
  said = [];
  /** What was measured, for a person. */
  notes = [];
  /** Why the case has failed, if it has. */
  faults = [];
  #settings;
  #reference;
  /** Of a command: the steps that runs must go on from. */
  #goesOn = new Map();
  /** Whether all steps that runs went on from were said by these commands, and not just recorded. */
  #isAllSaid;
  /** Of the checkpoints, while the newest command runs. */
  #watch;

  /**
   * @param {{ folder: string, python: string, settings: string[], reference?: () => Promise<Map<string, string>> }} how
   *   `reference`: what is to be recorded, where that is known.
   */
  constructor({ folder, python, settings, reference }) {
    this.folder = folder;
    this.out = join(folder, "out");
    this.python = python;
    this.#settings = settings;
    this.#reference = reference;
    mkdirSync(join(folder, "t"), { recursive: true });
  }

  get temporary() {
    return join(this.folder, "t");
  }

  /**
   * Gives the command. `goesOn`: arm → the step that its run must go on from; undefined: it must begin anew. `unusable`:
   * paths of checkpoints that it need not keep. `settings`: beside those of all commands; `backends`: endpoints of those that
   * run already.
   */
  give({ wrap, goesOn = resumableIn(this.out), unusable, settings = [], backends } = {}) {
    this.commands += 1;
    const { folder, out } = this;
    this.#isAllSaid ??= armsIn(out).length === 0;
    const all = [...this.#settings, ...settings];
    const command = new Command({ python: this.python, out, folder, wrap, settings: all, backends });
    this.#goesOn.set(command, goesOn);
    this.#watch = new Watch(out, goesOn, unusable);
    const looks = setInterval(() => this.look(), LOOK);
    command.ended.then(() => clearInterval(looks));
    return command;
  }

  /**
   * Notes which checkpoints there are: none of them may be gone later on. Done all the time while a command runs, and to be
   * called before something is done to it.
   */
  look() {
    if (this.faults.length > 0) return; // what comes of the first one is none of its own
    try {
      this.faults.push(...this.#watch.look());
    } catch (error) {
      this.faults.push(error.stack);
    }
  }

  /** Sends a signal to a command. Returns whether that was there. */
  signal(command, name) {
    this.look();
    return command.signal(name);
  }

  /** Waits for its end, which must be one of those: exit codes, or names of signals. */
  async end(command, ...expected) {
    const ended = await command.end();
    this.said.push(...command.lines);
    this.seconds += ended.seconds;
    const how = ended.signal ?? ended.code;
    if (how === "SIGKILL") this.#isAllSaid = false; // it may have come between the two
    if (ended.hung) this.faults.push("the command did not end by itself");
    else if (!expected.includes(how)) this.faults.push(`the command ended with ${how}: ${ended.lastLine}`);
    this.faults.push(...goneOnElsewhere(this.#goesOn.get(command), command.lines, ended.code === 0));
    this.look();
    return ended;
  }

  count(row, times = 1) {
    this.injected.set(row, (this.injected.get(row) ?? 0) + times);
  }

  /** The same command once more: it comes to its end, and then everything is as if nothing had happened. */
  async finish() {
    await this.end(this.give(), 0);
    await this.check();
  }

  async check() {
    if (this.faults.length > 0) return endProcesses(this.folder);
    const reference = await this.#reference?.();
    if (reference !== undefined) this.faults.push(...differencesFrom(reference, this.out));
    this.faults.push(...wronglyResumed(this.out, resumedSteps(this.said), this.#isAllSaid));
    this.faults.push(...(await leftBehind(this)));
  }

  /** How often a line like this was said. */
  times(pattern) {
    return this.said.filter((line) => pattern.test(line)).length;
  }
}
