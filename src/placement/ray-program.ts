/** py_ray as a child process: the one program that knows Ray. */
import { join } from "node:path";
import { asError, type IbatchError, surroundingsError, unlessInterrupted } from "../errors.js";
import { packageRoot } from "../package-root.js";
import { LastLines, MAX_LINE_LENGTH, onLines, withLastLines } from "../process/output-lines.js";
import { describeEnding, type Ending, ProcessGroup } from "../process/process-group.js";
import { EXIT_SURROUNDINGS } from "../process/python-program.js";
import { type Child, cannotStart, spawnPython } from "../process/spawn.js";
import { type Demand, type NewsOfOne, type Order, placeRequest, readNews, releaseRequest } from "./ray-messages.js";

export interface RayProgramOptions {
  /** Python interpreter that has ray. */
  readonly python: string;
  /** Of the cluster: auto, HOST:PORT or ray://HOST:PORT. */
  readonly address: string;
  /** Directories of the user's modules, which are uploaded. */
  readonly pythonPath: readonly string[];
  /** Seconds that it may take to connect. */
  readonly startSeconds: number;
  /** Ends the start. */
  readonly signal: AbortSignal;
  /** Gets what Ray prints, line by line; must not throw. */
  readonly onOutput?: ((line: string) => void) | undefined;
}

/** Of a line of JSON with a line of a backend in it. */
const NEWS_LENGTH = 16 * MAX_LINE_LENGTH;
const LINES_KEPT = 40;
const LINES_SHOWN = 3;

/** What our own program says of why it ends. */
const OWN_LINE = /^py_ray: (?<why>.*)$/;

export class RayProgram {
  /** Resolves with why it ended. */
  readonly ended: Promise<string>;
  readonly #child: Child;
  readonly #group: ProcessGroup;
  readonly #listeners = new Map<number, (news: NewsOfOne) => void>();
  #hasEnded = false;
  /** Why it was killed: it said what our program never says. */
  #garbled: Error | undefined;
  #placed = 0;

  private constructor(child: Child, group: ProcessGroup, said: LastLines) {
    this.#child = child;
    this.#group = group;
    this.ended = group.ended.then((ending) => {
      this.#hasEnded = true;
      const how = this.#garbled?.message ?? withLastLines(describeEnding(ending), said.lines.slice(-LINES_SHOWN));
      return `the program that has Ray hold backends ended: ${how}`;
    });
  }

  /**
   * Starts it, and waits until it is connected to the cluster.
   * @throws IbatchError with what it said, when it ends or stays silent instead; Interrupted.
   */
  static async start(options: RayProgramOptions): Promise<RayProgram> {
    const child = spawnRay(options);
    const group = new ProcessGroup(child);
    const said = new LastLines(LINES_KEPT);
    if (child.stderr !== null) {
      onLines(child.stderr, (line) => {
        said.add(line);
        options.onOutput?.(line);
      });
    }
    const program = new RayProgram(child, group, said);
    try {
      await unlessInterrupted(options.signal, program.#untilConnected(said, options));
      return program;
    } catch (error) {
      await group.kill();
      throw error;
    }
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Asks for a backend; `listener` is told what becomes of it, until it was released. Returns its number. */
  place(demand: Demand, order: Order, listener: (news: NewsOfOne) => void): number {
    this.#placed += 1;
    this.#listeners.set(this.#placed, listener);
    this.#ask(placeRequest(this.#placed, demand, order));
    return this.#placed;
  }

  /** Its listener is told when it is gone. */
  release(id: number): void {
    this.#ask(releaseRequest(id));
  }

  /** Ends it, and with it whatever it holds. */
  async stop(): Promise<void> {
    await this.#group.stop({ asked: true });
  }

  #ask(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  async #untilConnected(said: LastLines, { python, address, startSeconds }: RayProgramOptions): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const refusal = surroundingsError(`--ray ${address}: Ray did not connect within ${startSeconds} s (${python})`);
      timer = setTimeout(() => reject(refusal), startSeconds * 1000);
    });
    const endedBefore = this.#group.ended.then((ending) => {
      throw cannotConnect(python, ending, said);
    });
    try {
      await Promise.race([this.#connected(), endedBefore, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Hears it from now on. */
  #connected(): Promise<void> {
    return new Promise((resolve, reject) => {
      const { stdout } = this.#child;
      if (stdout === null) return; // not started: its end tells why
      const hear = (line: string) => {
        const news = readNews(line);
        if (news.type === "connected") resolve();
        else this.#tell(news);
      };
      const hearOrEnd = (line: string) => {
        try {
          hear(line);
        } catch (error) {
          this.#garbled = asError(error);
          reject(this.#garbled);
          this.#group.signal("SIGKILL");
        }
      };
      onLines(stdout, hearOrEnd, NEWS_LENGTH);
    });
  }

  #tell(news: NewsOfOne): void {
    const listener = this.#listeners.get(news.id);
    if (news.type === "released") this.#listeners.delete(news.id);
    listener?.(news);
  }
}

function spawnRay({ python, address, pythonPath }: RayProgramOptions): Child {
  const requirements = join(packageRoot, "requirements-ray.txt");
  const paths = pythonPath.flatMap((directory) => ["--python-path", directory]);
  const args = ["--address", address, "--requirements", requirements, ...paths];
  return spawnPython({ python, packageRoot, module: "py_ray", args, threads: 1 });
}

function cannotConnect(python: string, ending: Ending, { lines }: LastLines): IbatchError {
  if ("notStarted" in ending) return cannotStart(python, ending.notStarted);
  const own = lines.findLast((line) => OWN_LINE.test(line));
  if (ending.code === EXIT_SURROUNDINGS && own !== undefined) return surroundingsError(own.replace(OWN_LINE, "$<why>"));
  return surroundingsError(
    `Ray cannot be used (${python}): ${withLastLines(describeEnding(ending), lines.slice(-LINES_SHOWN))}`,
  );
}
