// One case: a directory in which commands are given and disturbed until one ends with 0, and what must hold then.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Command } from "./command.mjs";
import { leftBehind } from "./leftovers.mjs";
import { differencesFrom } from "./recorded.mjs";

/** Commands after the last disturbance: more mean that it does not go on. */
const MOST_COMMANDS = 5;

export class Scene {
  /** What was done, by the row of the table that counts it. */
  injected = new Map();
  commands = 0;
  seconds = 0;
  /** Of all commands, line by line. */
  said = [];
  /** Why the case has failed, if it has. */
  faults = [];
  #settings;
  #python;
  #reference;

  /** @param {{ folder: string, mark: string, python: string, settings: string[], reference?: Map<string, string> }} how */
  constructor({ folder, mark, python, settings, reference }) {
    this.folder = folder;
    this.mark = mark;
    this.out = join(folder, "out");
    this.#python = python;
    this.#settings = settings;
    this.#reference = reference;
    mkdirSync(join(folder, "t"), { recursive: true });
  }

  get temporary() {
    return join(this.folder, "t");
  }

  /** Gives the command. */
  give({ settings = [], wrap } = {}) {
    this.commands += 1;
    const { folder, mark, out } = this;
    return new Command({ python: this.#python, out, folder, mark, wrap, settings: [...this.#settings, ...settings] });
  }

  /** Waits for its end, which must be one of those: exit codes, or names of signals. */
  async end(command, ...expected) {
    const ended = await command.end();
    this.said.push(...command.lines);
    this.seconds += ended.seconds;
    const how = ended.signal ?? ended.code;
    if (ended.hung) this.faults.push("the command did not end by itself");
    else if (!expected.includes(how)) this.faults.push(`the command ended with ${how}: ${ended.lastLine}`);
    return ended;
  }

  count(row, times = 1) {
    this.injected.set(row, (this.injected.get(row) ?? 0) + times);
  }

  /** The same command until it ends with 0, and then everything is as if nothing had happened. */
  async finish({ allowed = [] } = {}) {
    for (let given = 0; this.faults.length === 0; given++) {
      if (given === MOST_COMMANDS) {
        this.faults.push(`${MOST_COMMANDS} commands, and it has not come to its end`);
        break;
      }
      if ((await this.end(this.give(), 0, ...allowed)).code === 0) break;
    }
    await this.check();
  }

  async check() {
    if (this.faults.length > 0) {
      await leftBehind(this);
      return;
    }
    const { out } = this;
    if (this.#reference !== undefined) this.faults.push(...differencesFrom(this.#reference, out));
    this.faults.push(...(await leftBehind(this)));
  }

  /** How often a line like this was said. */
  times(pattern) {
    return this.said.filter((line) => pattern.test(line)).length;
  }
}
