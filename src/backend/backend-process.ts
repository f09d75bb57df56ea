/** The backend as a child process. */
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { z } from "zod";
import { atExit } from "../at-exit.js";
import { IbatchError, surroundingsError, unlessInterrupted } from "../errors.js";
import { settlesWithin } from "../process/deadline.js";
import { type Ended, endedWith, whereItWas } from "../process/fault-dump.js";
import { LastLines, onLines, withLastLines } from "../process/output-lines.js";
import { describeEnding, type Ending, ProcessGroup } from "../process/process-group.js";
import { EXIT_SURROUNDINGS } from "../process/python-program.js";
import { type Child, cannotStart, READY_CHANNEL, spawnPython } from "../process/spawn.js";
import { type Credentials, makeToken, NO_CREDENTIALS } from "./credentials.js";
import { isTcp } from "./endpoint.js";
import { chooseEndpoint } from "./socket-directory.js";

/** What of the user's Python may run. */
export interface UserCode {
  /** Modules that may be imported, with their submodules. */
  readonly allowImport: readonly string[];
  /** Directories to look for modules in. */
  readonly pythonPath: readonly string[];
}

export const NO_USER_CODE: UserCode = { allowImport: [], pythonPath: [] };

export interface BackendProcessOptions {
  /** Python interpreter. */
  readonly python: string;
  /** Directory that holds `py_backend`. */
  readonly packageRoot: string;
  /** `auto`, `cpu` or `cuda:N`. */
  readonly device: string;
  readonly threads: number;
  /** `ipc` for a socket in a private directory, or tcp://127.0.0.1:PORT. */
  readonly listen: string;
  /** Modules of the user's that it may import, and directories to look for them in. */
  readonly userCode: UserCode;
  /** Seconds until it must listen: importing torch from a cold disk can take a minute. */
  readonly startSeconds: number;
  /** Ends the start. */
  readonly signal: AbortSignal;
  /** Gets each line of its standard output and error; must not throw. */
  readonly onOutput?: ((line: string) => void) | undefined;
}

/** Exit code of `python -m py_backend` for a wrong command line. */
const EXIT_USAGE = 2;
/** The stacks of a few threads, should it hang. */
const LINES_KEPT = 200;
const LINES_SHOWN = 40;
/** One that hangs has this long to say where. */
const DUMP_SECONDS = 2;

/** A running backend, started by us and ended by us. */
export class BackendProcess {
  readonly controlEndpoint: string;
  /** What it takes us by. */
  readonly credentials: Credentials;
  /** Resolves when it is gone with all that it started. */
  readonly ended: Promise<Ended>;
  readonly #group: ProcessGroup;
  readonly #said: LastLines;
  readonly #cleanUp: () => void;

  private constructor(
    controlEndpoint: string,
    credentials: Credentials,
    group: ProcessGroup,
    said: LastLines,
    cleanUp: () => void,
  ) {
    this.controlEndpoint = controlEndpoint;
    this.credentials = credentials;
    this.#group = group;
    this.#said = said;
    this.#cleanUp = cleanUp;
    this.ended = group.ended.then((ending) => shownEnd(ending, said));
  }

  get pid(): number {
    return this.#group.pid;
  }

  /**
   * Starts a backend and waits until it listens.
   * @throws IbatchError with what it said, when it ends or stays silent instead; Interrupted.
   */
  static async start(options: BackendProcessOptions): Promise<BackendProcess> {
    const socket = chooseEndpoint(options.listen);
    const credentials = isTcp(socket.listen) ? ownToken() : NO_CREDENTIALS;
    const child = undoing(socket.remove, () => spawnBackend(options, socket.listen, credentials));
    const group = new ProcessGroup(child);
    const forget = atExit(socket.remove);
    const cleanUp = () => {
      forget();
      socket.remove();
    };
    const said = new LastLines(LINES_KEPT);
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      onLines(stream, (line) => {
        said.add(line);
        options.onOutput?.(line);
      });
    }
    try {
      const ready = unlessInterrupted(options.signal, untilReady(child, group, said, options));
      return new BackendProcess(await ready, credentials, group, said, cleanUp);
    } catch (error) {
      await group.kill(); // it could still make its socket's directory
      cleanUp();
      throw error;
    }
  }

  /** Ends it: the caller has asked it to, or cannot. */
  async stop(how: { asked: boolean }): Promise<void> {
    await this.#group.stop(how);
    this.#cleanUp();
  }

  /** Ends one that hangs. Returns where it did, if it can say. */
  abort(): Promise<string | undefined> {
    return abort(this.#group, this.#said);
  }
}

function undoing<T>(undo: () => void, act: () => T): T {
  try {
    return act();
  } catch (error) {
    undo();
    throw error;
  }
}

const ownToken = (): Credentials => ({ kind: "token", token: makeToken(), from: "its start" });

function spawnBackend(options: BackendProcessOptions, listen: string, credentials: Credentials): Child {
  const { device, threads, userCode } = options;
  const args = [
    ...["--child", "--ready-fd", String(READY_CHANNEL)],
    ...["--listen", listen, "--device", device, "--threads", String(threads)],
    ...userCode.allowImport.flatMap((module) => ["--allow-import", module]),
    ...userCode.pythonPath.flatMap((directory) => ["--python-path", resolve(directory)]),
  ];
  // What arguments say others can see; what is for backends that are started otherwise is not for this one.
  const token = credentials.kind === "token" ? credentials.token : undefined;
  return spawnPython({
    ...options,
    module: "py_backend",
    args,
    environment: { IBATCH_TOKEN: token, IBATCH_KEYS: undefined },
  });
}

/** Resolves with its control endpoint. */
async function untilReady(
  child: Child,
  group: ProcessGroup,
  said: LastLines,
  { python, startSeconds }: BackendProcessOptions,
): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), startSeconds * 1000);
  });
  try {
    const first = await Promise.race([readyLine(child), group.ended, late]);
    if (typeof first === "object") throw cannotBegin(python, first, said);
    if (first !== "late") return first;
    const place = await abort(group, said);
    const hint = place === undefined ? "" : `: it hangs in ${place}`;
    throw surroundingsError(`the backend did not start within ${startSeconds} s (${python})${hint}`);
  } finally {
    clearTimeout(timer);
  }
}

/** Its control endpoint, from the one line of JSON that it writes once it listens. */
function readyLine({ stdio }: Child): Promise<string> {
  return new Promise((resolve, reject) => {
    const channel = stdio[READY_CHANNEL];
    if (!(channel instanceof Readable)) return; // not started: its end tells why
    onLines(channel, (line) => {
      const control = readEndpoint(line);
      if (control !== undefined) resolve(control);
      else reject(surroundingsError(`the backend said something else than its endpoints when it was ready: ${line}`));
    });
  });
}

function readEndpoint(line: string): string | undefined {
  try {
    return readyMessage.parse(JSON.parse(line)).control;
  } catch {
    return undefined;
  }
}

const readyMessage = z.object({ control: z.string() });

async function abort(group: ProcessGroup, said: LastLines): Promise<string | undefined> {
  group.signalLeader("SIGABRT");
  if (!(await settlesWithin(DUMP_SECONDS, group.ended))) await group.kill();
  return whereItWas(said.lines);
}

function shownEnd(ending: Ending, { lines }: LastLines): Ended {
  const { how, said } = endedWith(describeEnding(ending), lines);
  return { how, said: said.slice(-LINES_SHOWN) };
}

/** What our own program says of why it ends. */
const OWN_LINE = /^(?:python -m )?py_backend: (?<why>.*)$/;

function cannotBegin(python: string, ending: Ending, said: LastLines): IbatchError {
  if ("notStarted" in ending) return cannotStart(python, ending.notStarted);
  const { code } = ending;
  const own = said.lines.findLast((line) => OWN_LINE.test(line));
  const isToldByOwn = own !== undefined && (code === EXIT_USAGE || code === EXIT_SURROUNDINGS);
  const { how, said: last } = shownEnd(ending, said);
  const why = isToldByOwn ? own.replace(OWN_LINE, "$<why>") : withLastLines(how, last);
  return new IbatchError(code === EXIT_USAGE ? "usage" : "surroundings", `the backend cannot start: ${why}`);
}
