/** Where a backend that is started listens. */
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { makeTemporaryDirectory, TEMPORARY_NAME_BYTES } from "../temporary-directory.js";

/** The path of a socket has 103 bytes at most, on some systems; its name in the directory has 8. */
const MAX_PARENT_BYTES = 94 - TEMPORARY_NAME_BYTES;

export interface ChosenEndpoint {
  readonly listen: string;
  /** Removes what was made for it. */
  remove(): void;
}

/** `ipc`: a path of its own in a directory that only we may enter; anything else as it is. */
export function chooseEndpoint(listen: string): ChosenEndpoint {
  if (listen !== "ipc") return { listen, remove: () => {} };
  if (process.platform === "win32") return { listen: "tcp://127.0.0.1:0", remove: () => {} };
  const parent = Buffer.byteLength(tmpdir()) > MAX_PARENT_BYTES ? "/tmp" : tmpdir();
  const directory = resolve(makeTemporaryDirectory(parent));
  return {
    listen: `ipc://${join(directory, "control")}`,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
